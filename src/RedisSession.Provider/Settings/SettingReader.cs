using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider;

/// <summary>Reads settings one by one, and reports all errors together at the end.</summary>
/// <param name="method">The method that was given the configuration, for messages.</param>
/// <param name="configuration">What it was given: a section, or the whole configuration.</param>
/// <param name="defaultSection">Our section if the whole configuration was given.</param>
internal sealed class SettingReader(string method, IConfiguration configuration, string defaultSection)
{
    private readonly List<string> _errors = [];

    /// <summary>Our section: every name in it must be known.</summary>
    public IConfiguration Section { get; } = IsWhole(configuration) ? configuration.GetSection(defaultSection) : configuration;

    public static bool IsWhole(IConfiguration configuration) => configuration is IConfigurationRoot;

    /// <summary>The name, qualified with its section.</summary>
    public static string NameIn(IConfiguration from, string name) =>
        from is IConfigurationSection { Path: var path } ? $"{path}:{name}" : name;

    /// <summary>
    /// Reads a setting; false if it is unset. An empty value counts as unset.
    /// </summary>
    public bool TryApply(IConfiguration from, string name, Action<string> apply)
    {
        string? text = from[name];
        if (string.IsNullOrEmpty(text)) return false;
        try
        {
            apply(text);
        }
        catch (Exception error) when (error is FormatException or ArgumentException)
        {
            _errors.Add($"The setting {NameIn(from, name)} is '{text}': {error.Message}.");
        }

        return true;
    }

    /// <summary>Adds an error if the given section is empty: its name may be mistyped, and all options would keep their defaults.</summary>
    public void RefuseEmpty()
    {
        if (Section.GetChildren().Any()) return;
        string name = Section is IConfigurationSection { Path: var path } ? $"The section {path}" : "The configuration";
        if (Section is IConfigurationSection { Value.Length: > 0, Path: var place })
        {
            // The value is not repeated: it may be a connection string.
            _errors.Add(
                $"{name} that {method} reads is a single value, not a section: put settings below it, such as {place}:Configuration.");
        }
        else if (!IsWhole(configuration))
        {
            _errors.Add(
                $"{name} that {method} was given is empty or missing: correct its name, or call {method}() to use the "
                + "defaults.");
        }
    }

    /// <summary>
    /// Adds an error for each name in our section that is not in <paramref name="known"/>, with the nearest known name: a mistyped name
    /// could mean a missing protection. Names below <c>Configuration</c>, which is a plain string to us, are read by other code.
    /// </summary>
    /// <param name="known">The names that are read, below the section.</param>
    /// <param name="inCode">Options that only code can set.</param>
    public void RefuseUnknown(IReadOnlyCollection<string> known, IReadOnlyCollection<string> inCode)
    {
        foreach (string name in NamesIn(Section))
        {
            bool isEmptySection = string.IsNullOrEmpty(Section[name]) && known.Any(one => IsBelow(one, name));
            if (isEmptySection || known.Contains(name, StringComparer.OrdinalIgnoreCase) || IsBelow(name, "Configuration")) continue;
            string? codeOnly = inCode.FirstOrDefault(option => Is(name, option) || IsBelow(name, option));
            string nearest = Spelling.Nearest(name, known);
            _errors.Add(codeOnly is null
                ? $"There is no setting {NameIn(Section, name)}: the nearest is {NameIn(Section, nearest)}."
                : $"There is no setting {NameIn(Section, name)}: {codeOnly} is an option that only code can set.");
        }
    }

    /// <exception cref="OptionsValidationException">There were errors; the message lists all of them.</exception>
    public void ThrowIfAnythingIsWrong(Type optionsType)
    {
        if (_errors.Count > 0) throw new OptionsValidationException(Options.DefaultName, optionsType, _errors);
    }

    /// <summary>The names of all settings below, with their paths. Lists a section only if it has a value of its own or is empty.</summary>
    private static IEnumerable<string> NamesIn(IConfiguration section, string path = "")
    {
        foreach (var child in section.GetChildren())
        {
            string name = path + child.Key;
            string[] below = [.. NamesIn(child, name + ":")];
            foreach (string one in below) yield return one;
            if (below.Length == 0 || !string.IsNullOrEmpty(child.Value)) yield return name;
        }
    }

    private static bool Is(string name, string other) => name.Equals(other, StringComparison.OrdinalIgnoreCase);

    private static bool IsBelow(string name, string section) => name.StartsWith(section + ":", StringComparison.OrdinalIgnoreCase);
}
