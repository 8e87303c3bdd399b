using System.Globalization;

namespace Shop;

public static class Money
{
    public static string ToEuro(this decimal amount) => string.Create(CultureInfo.InvariantCulture, $"€ {amount:0.00}");
}
