using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider;

/// <summary>
/// Reads options from configuration: appsettings.json, environment, command line, whatever the application has.
/// </summary>
/// <remarks>
/// <code>
/// .NET names in the section that was given      Session:Cookie:Name
///   or, given the whole configuration, in       RedisHashSession:Cookie:Name
/// redis-session's names, in what was given      SESSION_COOKIE_ID (environment), --session-cookie-id (command line)
/// </code>
/// The later in this list wins, as what is said at deployment should. An empty text says nothing.
/// </remarks>
internal static class SessionConfiguration
{
    /// <summary>Where .NET names are looked for when the whole configuration was given: at its root they could be anybody's.</summary>
    public const string DefaultSection = "RedisHashSession";

    /// <exception cref="OptionsValidationException">Settings that do not parse; the message names each.</exception>
    public static void Apply(IConfiguration configuration, RedisHashSessionOptions options)
    {
        var section = configuration is IConfigurationRoot ? configuration.GetSection(DefaultSection) : configuration;
        var reader = new SettingReader();
        foreach (var setting in SessionSetting.DotNet) TryApply(setting, section, setting.Name);
        foreach (var setting in SessionSetting.Seed)
        {
            TryApply(setting, configuration, setting.Name);
            TryApply(setting, configuration, setting.Name.ToLowerInvariant().Replace('_', '-'));
        }

        reader.ThrowIfAnyDoesNotParse(typeof(RedisHashSessionOptions));

        void TryApply(SessionSetting setting, IConfiguration from, string name) =>
            reader.TryApply(from, name, text => setting.Apply(options, text));
    }
}
