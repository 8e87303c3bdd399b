using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider;

/// <summary>Reads settings one after the other, and says in the end all that is wrong with them.</summary>
internal sealed class SettingReader
{
    private readonly List<string> _errors = [];

    /// <summary>Reads one. An empty text says nothing, as one that is not there.</summary>
    public void TryApply(IConfiguration from, string name, Action<string> apply)
    {
        string? text = from[name];
        if (string.IsNullOrEmpty(text)) return;
        try
        {
            apply(text);
        }
        catch (Exception error) when (error is FormatException or ArgumentException)
        {
            string fullName = from is IConfigurationSection { Path: var path } ? $"{path}:{name}" : name;
            _errors.Add($"The setting {fullName} is '{text}': {error.Message}.");
        }
    }

    /// <exception cref="OptionsValidationException">Settings do not parse; the message names each.</exception>
    public void ThrowIfAnyDoesNotParse(Type optionsType)
    {
        if (_errors.Count > 0) throw new OptionsValidationException(Options.DefaultName, optionsType, _errors);
    }
}
