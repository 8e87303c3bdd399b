namespace Shop;

public sealed record Product(string Id, string Name, string Description, decimal Price);

/// <summary>What the shop sells. A product's picture is the symbol with its id in wwwroot/products.svg.</summary>
public static class Catalogue
{
    public static IReadOnlyList<Product> Products { get; } =
    [
        new("mug", "Stoneware mug", "Holds enough for one long bug.", 14.00m),
        new("teapot", "Teapot", "Replies 418 to any request for coffee.", 38.50m),
        new("notebook", "Dotted notebook", "192 pages, persisted by hand.", 11.90m),
        new("pencil", "Pencil", "With an eraser: every write can be undone.", 1.80m),
        new("lamp", "Desk lamp", "For requests that run all night.", 64.00m),
        new("plant", "Cactus", "Survives an idle timeout of six weeks.", 9.50m),
    ];

    public static Product? Find(string? id) => Products.FirstOrDefault(product => product.Id == id);
}
