namespace RedisSession.Provider.Tests;

/// <summary>A setting of configuration, a text that is not its default, and what the options then say.</summary>
internal sealed record SettingRow(string Name, string Text, Func<RedisHashSessionOptions, object?> Read, object? Expected)
{
    /// <summary>redis-session's own names.</summary>
    public static IReadOnlyList<SettingRow> Seed { get; } =
    [
        new("SESSION_REDIS", "redis://seed:7000/1", options => options.Configuration, "redis://seed:7000/1"),
        new("SESSION_REDIS_PREFIX", "seed", options => options.KeyPrefix, "seed:"),
        new("SESSION_EXPIRE", "90", options => options.IdleTimeout, TimeSpan.FromSeconds(90)),
        new("SESSION_COOKIE_ID", "sid", options => options.Cookie.Name, "sid"),
        new("SESSION_COOKIE_SECURE", "true", options => options.Cookie.SecurePolicy, CookieSecurePolicy.Always),
        new("SESSION_COOKIE_DOMAIN", "example.com", options => options.Cookie.Domain, "example.com"),
        new("SESSION_COOKIE_PATH", "/shop", options => options.Cookie.Path, "/shop"),
        new("SESSION_COOKIE_HTTP_ONLY", "false", options => options.Cookie.HttpOnly, false),
    ];

    /// <summary>.NET names, in a section.</summary>
    public static IReadOnlyList<SettingRow> DotNet { get; } =
    [
        new("Configuration", "one:7000", options => options.Configuration, "one:7000"),
        new("ServiceKey", "sessions", options => options.ServiceKey, "sessions"),
        new("KeyPrefix", "app:", options => options.KeyPrefix, "app:"),
        new("Mode", "live", options => options.Mode, RedisSessionMode.Live),
        new("FailureMode", "THROW", options => options.FailureMode, FailureMode.Throw),
        new("ProtectValues", "true", options => options.ProtectValues, true),
        new("WaitForReplicas", "2", options => options.WaitForReplicas, 2),
        new("OutageTolerance", "00:00:01.5", options => options.OutageTolerance, TimeSpan.FromSeconds(1.5)),
        new("MaxPendingEvents", "17", options => options.MaxPendingEvents, 17),
        new("CookieCacheSize", "0", options => options.CookieCacheSize, 0),
        new("UseDedicatedThreads", "False", options => options.UseDedicatedThreads, false),
        new("TakeOverSessions", "shop:", options => options.InstanceNameOfLeft, "shop:"),
        new("IdleTimeout", "00:01:30", options => options.IdleTimeout, TimeSpan.FromSeconds(90)),
        new("RefreshInterval", "0:00:05", options => options.RefreshInterval, TimeSpan.FromSeconds(5)),
        new("AbsoluteTimeout", "1.12:00:00", options => options.AbsoluteTimeout, TimeSpan.FromHours(36)),
        new("IOTimeout", "00:00:02.5", options => options.IOTimeout, TimeSpan.FromSeconds(2.5)),
        new("Cookie:Name", "sid", options => options.Cookie.Name, "sid"),
        new("Cookie:Domain", "example.com", options => options.Cookie.Domain, "example.com"),
        new("Cookie:Path", "/shop", options => options.Cookie.Path, "/shop"),
        new("Cookie:HttpOnly", "0", options => options.Cookie.HttpOnly, false),
        new("Cookie:SecurePolicy", "always", options => options.Cookie.SecurePolicy, CookieSecurePolicy.Always),
        new("Cookie:SameSite", "Strict", options => options.Cookie.SameSite, SameSiteMode.Strict),
        new("Cookie:MaxAge", "30.00:00:00", options => options.Cookie.MaxAge, TimeSpan.FromDays(30)),
        new("Cookie:IsEssential", "1", options => options.Cookie.IsEssential, true),
    ];

    /// <summary>As on a command line: <c>SESSION_COOKIE_ID</c> is <c>--session-cookie-id</c>.</summary>
    public string Switch => "--" + Name.ToLower(CultureInfo.InvariantCulture).Replace('_', '-');

    public override string ToString() => $"{Name} {Text}";
}
