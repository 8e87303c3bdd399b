using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider;

/// <summary>
/// A setting that configuration can contain, and how to apply its text. <see cref="Apply"/> throws <see cref="FormatException"/> if the
/// text is not valid; the message says what is.
/// </summary>
internal sealed record SessionSetting(string Name, Action<RedisHashSessionOptions, string> Apply)
{
    /// <summary>The .NET settings, by their paths in a section.</summary>
    public static readonly IReadOnlyList<SessionSetting> DotNet =
    [
        new("Configuration", (options, text) => options.Configuration = text),
        new("ServiceKey", (options, text) => options.ServiceKey = text),
        new("KeyPrefix", (options, text) => options.KeyPrefix = text),
        new("Mode", (options, text) => options.Mode = OneOf<RedisSessionMode>(text)),
        new("FailureMode", (options, text) => options.FailureMode = OneOf<FailureMode>(text)),
        new("ProtectValues", (options, text) => options.ProtectValues = YesNo(text)),
        new("WaitForReplicas", (options, text) => options.WaitForReplicas = Count(text)),
        new("OutageTolerance", (options, text) => options.OutageTolerance = Duration(text)),
        new("MaxPendingEvents", (options, text) => options.MaxPendingEvents = Count(text)),
        new("CookieCacheSize", (options, text) => options.CookieCacheSize = Count(text)),
        new("UseDedicatedThreads", (options, text) => options.UseDedicatedThreads = YesNo(text)),
        new("TakeOverSessions", TakeOverSessions),
        new("IdleTimeout", (options, text) => options.IdleTimeout = Duration(text)),
        new("RefreshInterval", (options, text) => options.RefreshInterval = Duration(text)),
        new("AbsoluteTimeout", (options, text) => options.AbsoluteTimeout = Duration(text)),
        new("IOTimeout", (options, text) => options.IOTimeout = Duration(text)),
        new("Cookie:Name", (options, text) => options.Cookie.Name = text),
        new("Cookie:Domain", (options, text) => options.Cookie.Domain = text),
        new("Cookie:Path", (options, text) => options.Cookie.Path = text),
        new("Cookie:HttpOnly", (options, text) => options.Cookie.HttpOnly = YesNo(text)),
        new("Cookie:SecurePolicy", (options, text) => options.Cookie.SecurePolicy = OneOf<CookieSecurePolicy>(text)),
        new("Cookie:SameSite", (options, text) => options.Cookie.SameSite = OneOf<SameSiteMode>(text)),
        new("Cookie:MaxAge", (options, text) => options.Cookie.MaxAge = Duration(text)),
        new("Cookie:IsEssential", (options, text) => options.Cookie.IsEssential = YesNo(text)),
    ];

    /// <summary>The eight settings of redis-session, under its own names.</summary>
    public static readonly IReadOnlyList<SessionSetting> Seed =
    [
        new("SESSION_REDIS", (options, text) => options.Configuration = text),
        new("SESSION_REDIS_PREFIX", (options, text) => options.KeyPrefix = text + ":"), // as in redis-session, whatever the text ends with
        new("SESSION_EXPIRE", (options, text) => options.IdleTimeout = Seconds(text)),
        new("SESSION_COOKIE_ID", (options, text) => options.Cookie.Name = text),
        new(
            "SESSION_COOKIE_SECURE",
            (options, text) => options.Cookie.SecurePolicy = YesNo(text) ? CookieSecurePolicy.Always : CookieSecurePolicy.None),
        new("SESSION_COOKIE_DOMAIN", (options, text) => options.Cookie.Domain = text),
        new("SESSION_COOKIE_PATH", (options, text) => options.Cookie.Path = text),
        new("SESSION_COOKIE_HTTP_ONLY", (options, text) => options.Cookie.HttpOnly = YesNo(text)),
    ];

    /// <summary>The redis-session setting that names the Redis server.</summary>
    public static readonly SessionSetting OfRedis = Seed.Single(setting => setting.Name == "SESSION_REDIS");

    /// <summary>The settings that determine whether the cookie is Secure.</summary>
    public static readonly IReadOnlyList<SessionSetting> OfSecureCookie =
        [.. DotNet.Concat(Seed).Where(setting => setting.Name is "Cookie:SecurePolicy" or "SESSION_COOKIE_SECURE")];

    /// <summary>The names in redis-session: in Flask's configuration and the environment; and in Tornado's, on the command line.</summary>
    public IReadOnlyList<string> SeedNames => [Name, Name.ToLowerInvariant().Replace('_', '-')];

    /// <summary>An instance name; true for an empty one, since empty text counts as unset; or false.</summary>
    private static void TakeOverSessions(RedisHashSessionOptions options, string text)
    {
        if (bool.TryParse(text, out bool yes))
        {
            if (yes) options.TakeOverSessions();
            else options.InstanceNameOfLeft = null;
        }
        else if (MeantAsYesNo(text.Trim()) is { } meant)
        {
            throw new FormatException(
                $"did you mean {meant}? If this is really an instance name, set it in code: options.TakeOverSessions(\"{text}\")");
        }
        else
        {
            options.TakeOverSessions(text);
        }
    }

    /// <summary>True or false if the name looks like one: other settings accept 1 and 0, and a letter is easily mistyped.</summary>
    private static string? MeantAsYesNo(string text) => text.ToLowerInvariant() switch
    {
        "1" or "yes" or "on" => "true",
        "0" or "no" or "off" => "false",
        _ => ((string[])["true", "false"]).FirstOrDefault(word => Spelling.Distance(text, word) == 1),
    };

    private static TimeSpan Seconds(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int seconds) && seconds > 0
            ? TimeSpan.FromSeconds(seconds)
            : throw new FormatException($"expected a whole number of seconds from 1 to {int.MaxValue}");

    private static int Count(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count)
            ? count
            : throw new FormatException($"expected a whole number from 0 to {int.MaxValue}");

    /// <exception cref="FormatException">The text is not a duration.</exception>
    internal static TimeSpan Duration(string text)
    {
        // Each part is named, because .NET reads 20 as days and 20:00 as hours, which is not what everyone means who writes that. And the
        // strict form, because .NET's usual one reads 24:00:00 as 24 days.
        bool isWhole = text.Count(':') == 2;
        return isWhole && TimeSpan.TryParseExact(text.AsSpan().Trim(), "c", CultureInfo.InvariantCulture, out var duration)
            ? duration
            : throw new FormatException("expected a duration in the form [days.]hours:minutes:seconds, with up to 23 hours: "
                + "such as 00:20:00, or 1.00:00:00 for 24 hours");
    }

    /// <exception cref="FormatException">The text is neither true nor false.</exception>
    internal static bool YesNo(string text) => text.ToLowerInvariant() switch
    {
        "true" or "1" => true,
        "false" or "0" => false,
        _ => throw new FormatException("expected true or false"),
    };

    private static T OneOf<T>(string text)
        where T : struct, Enum
    {
        // By name only: Enum.TryParse also takes numbers, and several names at once.
        string[] names = Enum.GetNames<T>();
        int index = Array.FindIndex(names, name => name.Equals(text, StringComparison.OrdinalIgnoreCase));
        return index >= 0 ? Enum.GetValues<T>()[index] : throw new FormatException($"expected one of {string.Join(", ", names)}");
    }
}
