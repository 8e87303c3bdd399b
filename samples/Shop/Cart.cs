namespace Shop;

public sealed record CartLine(Product Product, int Quantity)
{
    public decimal Price => Quantity * Product.Price;
}

/// <summary>
/// The cart in a session. Each product is a session key of its own, <c>cart:mug</c> = 2, and so a field of its own in Redis: requests that
/// add different products at the same moment cannot undo each other, as they would if the cart were one value.
/// </summary>
public sealed class Cart(ISession session)
{
    public const int MaxQuantity = 99;

    /// <summary>What is in the cart now: one round trip for all products.</summary>
    public async Task<IReadOnlyList<CartLine>> ReadAsync()
    {
        var quantities = await session.ReadAsync(Catalogue.Products.Select(Key));
        var lines = Catalogue.Products.Select(product => new CartLine(product, quantities[Key(product)].Int));
        return [.. lines.Where(line => line.Quantity > 0)];
    }

    /// <summary>
    /// Adds to what is there and returns the new quantity: one round trip. Redis does the sum, so of many clicks at once none is lost.
    /// </summary>
    public async Task<int> AddAsync(Product product, int quantity)
    {
        long total = await session.IncrementAsync(Key(product), quantity);
        if (total <= MaxQuantity) return (int)total;

        // Too many, which only Redis could tell. Cutting back looks again at what is there: others may have added, cut or removed since.
        // Until then they can see more than the maximum. Where this request ends before it has cut, the next one that adds does.
        return await session.UpdateJsonAsync<int>(Key(product), now => Math.Min(now, MaxQuantity));
    }

    public Task RemoveAsync(Product product) => session.RemoveAsync(Key(product));

    private static string Key(Product product) => $"cart:{product.Id}";
}
