using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider;

/// <summary>
/// Reads options from configuration: appsettings.json, environment, command line, whatever sources the application has.
/// </summary>
/// <remarks>
/// <code>
/// .NET names in the section that was given      Session:Cookie:Name
///   or, given the whole configuration, in       RedisHashSession:Cookie:Name
/// redis-session's names, in what was given      SESSION_COOKIE_ID (environment), --session-cookie-id (command line)
/// </code>
/// The later in this list wins, so that deployment settings take precedence. An empty value counts as unset. In our own section, every name
/// must be known; at the root, which other code shares, a name that nearly matches one of ours is recorded.
/// </remarks>
internal static class SessionConfiguration
{
    /// <summary>Options that cannot be expressed as text.</summary>
    public static readonly IReadOnlyCollection<string> InCode =
    [
        nameof(RedisHashSessionOptions.ConfigurationOptions),
        nameof(RedisHashSessionOptions.ConnectionMultiplexerFactory),
        nameof(RedisHashSessionOptions.UserIdentifier),
        nameof(RedisHashSessionOptions.TakeOverSessionsFromDistributedCache),
    ];

    private static readonly string[] SeedNames = [.. SessionSetting.Seed.SelectMany(setting => setting.SeedNames)];

    private static readonly string[] Known = [.. SessionSetting.DotNet.Select(setting => setting.Name), .. SeedNames];

    /// <exception cref="OptionsValidationException">
    /// Settings do not parse or are unknown, or the section has none; the message names each.
    /// </exception>
    public static void Apply(IConfiguration configuration, RedisHashSessionOptions options)
    {
        var reader = new SettingReader("AddRedisHashSession", configuration, RedisHashSessionOptions.Section);
        reader.RefuseEmpty();
        reader.RefuseUnknown(Known, InCode);
        var found = new HashSet<SessionSetting>();
        foreach (var setting in SessionSetting.DotNet) TryApply(setting, reader.Section, setting.Name);
        foreach (var setting in SessionSetting.Seed)
        {
            foreach (string name in setting.SeedNames) TryApply(setting, configuration, name);
        }

        reader.ThrowIfAnythingIsWrong(typeof(RedisHashSessionOptions));
        if (found.Overlaps(SessionSetting.Seed) && !found.Overlaps(SessionSetting.OfSecureCookie)) BeSecureAsInSeed(options);
        options.LookedFor.AddRange(
        [
            SettingReader.NameIn(reader.Section, nameof(options.Configuration)),
            SettingReader.NameIn(reader.Section, nameof(options.ServiceKey)),
            .. SessionSetting.OfRedis.SeedNames.Select(name => SettingReader.NameIn(configuration, name)),
        ]);
        if (SettingReader.IsWhole(configuration))
        {
            options.Findings.NearMisses.UnionWith(NearMisses.Of(configuration, SeedNames, RedisHashSessionOptions.Section));
        }

        void TryApply(SessionSetting setting, IConfiguration from, string name)
        {
            if (reader.TryApply(from, name, text => setting.Apply(options, text))) found.Add(setting);
        }
    }

    /// <summary>In redis-session, the cookie is Secure by default. A policy that code has already set is kept.</summary>
    private static void BeSecureAsInSeed(RedisHashSessionOptions options)
    {
        options.Findings.IsSecureAsInSeed = true;
        if (options.Cookie.SecurePolicy == CookieSecurePolicy.None) options.Cookie.SecurePolicy = CookieSecurePolicy.Always;
    }
}
