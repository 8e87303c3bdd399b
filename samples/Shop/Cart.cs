namespace Shop;

public sealed record CartLine(Product Product, int Quantity)
{
    public decimal Price => Quantity * Product.Price;
}

/// <summary>
/// The cart in a session. Each product has its own session key, <c>cart:mug</c> = 2, and so its own field in Redis: requests that add
/// different products concurrently cannot overwrite each other, as they would if the cart were one value.
/// </summary>
public sealed class Cart(ISession session)
{
    public const int MaxQuantity = 99;

    /// <summary>Reads the current cart: one round trip for all products.</summary>
    public async Task<IReadOnlyList<CartLine>> ReadAsync()
    {
        var quantities = await session.ReadAsync(Catalogue.Products.Select(Key));
        var lines = Catalogue.Products.Select(product => new CartLine(product, quantities[Key(product)].Int));
        return [.. lines.Where(line => line.Quantity > 0)];
    }

    /// <summary>
    /// Adds to the current quantity and returns the new one: one round trip. Redis does the addition, so no concurrent click is lost.
    /// </summary>
    public async Task<int> AddAsync(Product product, int quantity)
    {
        long total = await session.IncrementAsync(Key(product), quantity);
        if (total <= MaxQuantity) return (int)total;

        // Too many, which only Redis could know. The cut re-reads the quantity: other requests may have added, cut or removed since.
        // Until then they can see more than the maximum. If this request ends before the cut, the next one that adds makes it.
        return await session.UpdateJsonAsync<int>(Key(product), now => Math.Min(now, MaxQuantity));
    }

    public Task RemoveAsync(Product product) => session.RemoveAsync(Key(product));

    private static string Key(Product product) => $"cart:{product.Id}";
}
