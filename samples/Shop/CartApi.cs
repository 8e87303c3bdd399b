using Microsoft.AspNetCore.Http.HttpResults;

namespace Shop;

/// <summary>
/// The cart for scripts. No antiforgery token: the body must be JSON, and a browser sends JSON cross-site only after a CORS preflight
/// request, which this site never allows.
/// <code>curl -b jar -c jar -H 'Content-Type: application/json' -d '{"quantity": 1}' http://localhost:5080/api/cart/mug</code>
/// </summary>
internal static class CartApi
{
    public static void MapCartApi(this IEndpointRouteBuilder routes) => routes.MapPost("/api/cart/{product}", AddAsync);

    private static async Task<Results<Ok<Addition>, NotFound, BadRequest<string>>> AddAsync(
        string product, Addition addition, HttpContext context)
    {
        if (Catalogue.Find(product) is not { } found) return TypedResults.NotFound();
        if (addition.Quantity is < 1 or > Cart.MaxQuantity) return TypedResults.BadRequest($"quantity: 1 to {Cart.MaxQuantity}");
        return TypedResults.Ok(new Addition(await new Cart(context.Session).AddAsync(found, addition.Quantity)));
    }

    /// <param name="Quantity">In the request, how many to add; in the response, how many are now in the cart.</param>
    private sealed record Addition(int Quantity);
}
