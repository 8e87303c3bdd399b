namespace RedisSession.Provider.Benchmarks;

/// <summary>
/// The arguments <c>--name value</c> and <c>--name</c> of a command, which takes those that it knows and then refuses the rest.
/// </summary>
internal sealed class Options
{
    private readonly Dictionary<string, string?> _values = new(StringComparer.Ordinal);

    /// <exception cref="UsageException">These are no names, each with a value or without one.</exception>
    public Options(string command, IReadOnlyList<string> arguments)
    {
        CommandLine = string.Join(' ', [Command.Program, command, .. arguments]);
        for (int i = 0; i < arguments.Count; i++)
        {
            string name = arguments[i];
            if (!name.StartsWith("--", StringComparison.Ordinal)) throw new UsageException($"'{name}' is no option.");
            bool hasValue = i + 1 < arguments.Count && !arguments[i + 1].StartsWith("--", StringComparison.Ordinal);
            if (!_values.TryAdd(name, hasValue ? arguments[++i] : null)) throw new UsageException($"{name} is given twice.");
        }
    }

    /// <summary>What has to be typed to have the same once more.</summary>
    public string CommandLine { get; }

    /// <exception cref="UsageException">It has no value.</exception>
    public string? Text(string name)
    {
        if (!_values.Remove(name, out string? value)) return null;
        return value ?? throw new UsageException($"{name} needs a value.");
    }

    /// <summary>Whether it is there.</summary>
    /// <exception cref="UsageException">It has a value.</exception>
    public bool Flag(string name)
    {
        if (!_values.Remove(name, out string? value)) return false;
        return value is null ? true : throw new UsageException($"{name} takes no value.");
    }

    /// <exception cref="UsageException">The value is no number between the two.</exception>
    public int Number(string name, int fallback, int lowest, int highest) => Number(name, lowest, highest) ?? fallback;

    /// <summary>The same, or null where it is not given.</summary>
    /// <exception cref="UsageException">The value is no number between the two.</exception>
    public int? Number(string name, int lowest, int highest) => Text(name) is { } text ? Number(name, text, lowest, highest) : null;

    /// <summary>Several with commas in between.</summary>
    /// <exception cref="UsageException">One of them is no number between the two.</exception>
    public IReadOnlyList<int> Numbers(string name, string fallback, int lowest, int highest) =>
        [.. (Text(name) ?? fallback).Split(',', StringSplitOptions.TrimEntries).Select(text => Number(name, text, lowest, highest))];

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

    private static int Number(string name, string text, int lowest, int highest)
    {
        bool isNumber = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number);
        if (isNumber && number >= lowest && number <= highest) return number;
        throw new UsageException($"{name} needs a whole number from {lowest} to {highest}, not '{text}'.");
    }
}
