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
    /// Adds to what is there now, and returns the new quantity. Two requests that add the same product at the very same moment may both
    /// read the old quantity; different products never meet.
    /// </summary>
    public async Task<int> AddAsync(Product product, int quantity)
    {
        int total = Math.Min(await session.GetIntAsync(Key(product)) + quantity, MaxQuantity);
        await session.SetValueAsync(Key(product), total);
        return total;
    }

    public Task RemoveAsync(Product product) => session.RemoveAsync(Key(product));

    private static string Key(Product product) => $"cart:{product.Id}";
}
