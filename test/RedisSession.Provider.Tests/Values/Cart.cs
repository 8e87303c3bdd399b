using System.Text.Json.Serialization;

namespace RedisSession.Provider.Tests;

/// <summary>What an application keeps in a session: no constructor without parameters.</summary>
internal sealed record Cart(string Owner, IReadOnlyList<CartLine> Lines, decimal Total);

internal sealed record CartLine(string Article, int Count);

/// <summary>With a constructor without parameters, and a default that shows.</summary>
internal sealed class Preferences
{
    public string Theme { get; set; } = "light";

    public DayOfWeek WeekStart { get; set; } = DayOfWeek.Monday;
}

[JsonSerializable(typeof(Cart)), JsonSerializable(typeof(Preferences)), JsonSerializable(typeof(Sku)), JsonSerializable(typeof(int[]))]
internal sealed partial class CartJson : JsonSerializerContext;
