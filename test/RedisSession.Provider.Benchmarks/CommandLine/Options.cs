using System.Globalization;

namespace RedisSession.Provider.Benchmarks;

/// <summary>The arguments <c>--name value</c> of a command, which takes those that it knows and then refuses the rest.</summary>
internal sealed class Options
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    /// <exception cref="UsageException">These are no pairs of a name and a value.</exception>
    public Options(IReadOnlyList<string> arguments)
    {
        for (int i = 0; i < arguments.Count; i += 2)
        {
            string name = arguments[i];
            if (!name.StartsWith("--", StringComparison.Ordinal)) throw new UsageException($"'{name}' is no option.");
            if (i + 1 == arguments.Count || arguments[i + 1].StartsWith("--", StringComparison.Ordinal))
                throw new UsageException($"{name} needs a value.");
            if (!_values.TryAdd(name, arguments[i + 1])) throw new UsageException($"{name} is given twice.");
        }
    }

    /// <summary>As typed, but for those that have been taken.</summary>
    public override string ToString() => string.Join(' ', _values.Select(option => $"{option.Key} {option.Value}"));

    public string? Text(string name) => _values.Remove(name, out var value) ? value : null;

    /// <exception cref="UsageException">The value is no number between the two.</exception>
    public int Number(string name, int fallback, int lowest, int highest)
    {
        if (Text(name) is not { } text) return fallback;
        bool isNumber = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number);
        return isNumber && number >= lowest && number <= highest
            ? number
            : throw new UsageException($"{name} needs a whole number from {lowest} to {highest}, not '{text}'.");
    }

    /// <summary>Nothing more than that: it is shown in results, and more could be a password.</summary>
    /// <exception cref="UsageException">The value is something else.</exception>
    public string? HostAndPort(string name)
    {
        if (Text(name) is not { } text) return null;
        bool isOne = text.LastIndexOf(':') is > 0 and var colon
            && !text.Contains(',')
            && ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out _);
        return isOne ? text : throw new UsageException($"{name} needs host:port, not '{text}'.");
    }

    /// <exception cref="UsageException">There are options that nobody took.</exception>
    public void ThrowIfAnyIsLeft()
    {
        if (_values.Count > 0) throw new UsageException($"There is no option {string.Join(", ", _values.Keys)} here.");
    }
}
