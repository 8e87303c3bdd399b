using System.Text.Json.Serialization;

namespace RedisSession.Provider.Tests;

/// <summary>A value type whose <c>new()</c> is not its default.</summary>
internal struct Counted()
{
    public int Count { get; set; } = 1;
}

/// <summary>Read only where the JSON says which shape it is.</summary>
[JsonPolymorphic]
[JsonDerivedType(typeof(Circle), "circle")]
internal abstract class Shape;

internal sealed class Circle : Shape
{
    public int Radius { get; set; }
}

/// <summary>Takes not every number that it could be given.</summary>
internal sealed class Money
{
    public Money(int amount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(amount);
        Amount = amount;
    }

    public int Amount { get; }
}
