namespace RedisSession.Provider.Tests;

/// <summary>A changed default changes every application that did not choose; a new option without an entry here fails.</summary>
internal sealed class OptionDefaultsTests
{
    private static readonly Dictionary<string, string> Defaults = new()
    {
        [nameof(RedisHashSessionOptions.AbsoluteTimeout)] = "null",
        [nameof(RedisHashSessionOptions.Configuration)] = "null",
        [nameof(RedisHashSessionOptions.ConfigurationOptions)] = "null",
        [nameof(RedisHashSessionOptions.ConnectionMultiplexerFactory)] = "null",
        [nameof(RedisHashSessionOptions.Cookie)] = ".AspNetCore.Session; path /; HttpOnly; SameSite Lax; secure None; not essential",
        [nameof(RedisHashSessionOptions.CookieCacheSize)] = "16384",
        [nameof(RedisHashSessionOptions.FailureMode)] = nameof(FailureMode.LogAndContinue),
        [nameof(RedisHashSessionOptions.IdleTimeout)] = "00:20:00",
        [nameof(RedisHashSessionOptions.IOTimeout)] = "00:01:00",
        [nameof(RedisHashSessionOptions.KeyPrefix)] = "",
        [nameof(RedisHashSessionOptions.MaxPendingEvents)] = "50000",
        [nameof(RedisHashSessionOptions.Mode)] = nameof(RedisSessionMode.Buffered),
        [nameof(RedisHashSessionOptions.OutageTolerance)] = "00:00:05",
        [nameof(RedisHashSessionOptions.ProtectValues)] = "False",
        [nameof(RedisHashSessionOptions.RefreshInterval)] = "00:00:01",
        [nameof(RedisHashSessionOptions.ServiceKey)] = "null",
        [nameof(RedisHashSessionOptions.UseDedicatedThreads)] = "True",
        [nameof(RedisHashSessionOptions.UserIdentifier)] = "SignedInUser.Of",
        [nameof(RedisHashSessionOptions.WaitForReplicas)] = "0",
    };

    [Test]
    public void Every_option_has_the_default_that_is_pinned_here()
    {
        var options = new RedisHashSessionOptions();
        var defaults = typeof(RedisHashSessionOptions).GetProperties()
            .ToDictionary(property => property.Name, property => Show(property.GetValue(options)));
        Assert.That(defaults, Is.EquivalentTo(Defaults));
    }

    [Test]
    public void Defaults_of_AddSession_are_kept()
    {
        var stock = new SessionOptions();
        using var scope = Assert.EnterMultipleScope();
        foreach (var property in typeof(SessionOptions).GetProperties())
            Assert.That(Show(property.GetValue(stock)), Is.EqualTo(Defaults.GetValueOrDefault(property.Name)), property.Name);
    }

    [Test]
    public void Nothing_is_taken_over_unless_it_is_said()
    {
        var options = new RedisHashSessionOptions();
        Assert.That((options.InstanceNameOfLeft, options.TakesOverFromCache), Is.EqualTo(((string?)null, false)));
    }

    // Mode 0 of an enum is what an uninitialised one says.
    [Test]
    public void Zero_is_the_default_of_the_enums() => Assert.That(
        (default(RedisSessionMode), default(FailureMode)), Is.EqualTo((RedisSessionMode.Buffered, FailureMode.LogAndContinue)));

    private static string Show(object? value) => value switch
    {
        null => "null",
        Delegate function => $"{function.Method.DeclaringType!.Name}.{function.Method.Name}",
        CookieBuilder cookie => $"{cookie.Name}; path {cookie.Path}; {(cookie.HttpOnly ? "HttpOnly" : "for scripts too")}; "
            + $"SameSite {cookie.SameSite}; secure {cookie.SecurePolicy}; {(cookie.IsEssential ? "essential" : "not essential")}",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };
}
