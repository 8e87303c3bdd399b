using System.Collections.Concurrent;

namespace RedisSession.Provider.Benchmarks;

/// <summary>How much a session holds. In a request it is written as the query string, <c>?10x20</c>.</summary>
internal sealed class SessionShape
{
    // A request finds its shape without making one: that would be measured.
    private static readonly ConcurrentDictionary<string, SessionShape> Parsed = new(StringComparer.Ordinal);

    public SessionShape(int keys, int valueLength)
    {
        Keys = [.. Enumerable.Range(0, keys).Select(number => $"key{number}")];
        Value = new byte[valueLength];
        Value.AsSpan().Fill((byte)'x');
    }

    public static SessionShape Small { get; } = new(keys: 10, valueLength: 20);

    public static SessionShape Large { get; } = new(keys: 100, valueLength: 1024);

    public string[] Keys { get; }

    /// <summary>What is under each of the keys.</summary>
    public byte[] Value { get; }

    /// <summary>The key of those who read or write one: in the middle, so that no way of searching is at an advantage.</summary>
    public string Middle => Keys[Keys.Length / 2];

    public string Query => $"?{Keys.Length}x{Value.Length}";

    public static SessionShape FromQuery(string? query) => Parsed.GetOrAdd(query ?? "", static query =>
    {
        int[] numbers = [.. query.TrimStart('?').Split('x').Select(number => int.Parse(number, CultureInfo.InvariantCulture))];
        return new(numbers[0], numbers[1]);
    });

    /// <summary>Evenly over all of them.</summary>
    public string KeyOf(int number, int count) => Keys[number * Keys.Length / count];

    public override string ToString() => $"{Keys.Length} keys of {Value.Length} B";
}
