using Microsoft.Extensions.Options;

namespace RedisSession.Provider.Tests;

/// <summary>A text that cannot mean what its setting needs stops the start; the message names the setting as it was written.</summary>
internal sealed class BadSettingTests
{
    private const string Duration = "[days.]hours:minutes:seconds";
    private const string Day = "1.00:00:00 for 24 hours";

    // Setting, what is wanted instead, texts.
    private static IEnumerable<string[]> Settings =>
    [
        .. Bad("SESSION_EXPIRE", "seconds", "0", "-1", "1.5", "1h", "00:20:00", "1_000", " 90"),
        .. Bad("SESSION_EXPIRE", "from 1 to 2147483647", "99999999999"),
        .. Bad("session-expire", "seconds", "soon"),
        .. Bad("SESSION_COOKIE_SECURE", "true or false", "yes", "2"),
        .. Bad("session-cookie-secure", "true or false", "on"),
        .. Bad("SESSION_COOKIE_HTTP_ONLY", "true or false", "no"),
        .. Bad("session-cookie-http-only", "true or false", "no"),
        .. Bad("RedisHashSession:Mode", "one of Buffered, Live", "fast", "1", "-1", "+1", " 1", "-0", "Buffered,Live", "Buffered, Live"),
        .. Bad("RedisHashSession:FailureMode", "LogAndContinue, Throw", "ignore"),
        .. Bad("RedisHashSession:ProtectValues", "true or false", "ture"),
        .. Bad("RedisHashSession:WaitForReplicas", "a whole number from 0 to", "-1", "1.5", "two"),
        .. Bad("RedisHashSession:WaitForReplicas", "from 0 to 2147483647", "99999999999"),
        .. Bad("RedisHashSession:TakeOverSessions", "did you mean true?", "tru"),
        .. Bad("RedisHashSession:UseDedicatedThreads", "true or false", "maybe"),
        .. Bad("RedisHashSession:IdleTimeout", Duration, "20", "1200", "-20", "+20", "0020", " 20", "20 ", "20\n", "20m", "1.5"),
        .. Bad("RedisHashSession:IdleTimeout", Duration, "99999999999", "25:61:00", "20:00", "1.12:00", "1:00:90"),
        .. Bad("RedisHashSession:IdleTimeout", Day, "24:00:00", "36:00:00", "99:00:00", " 24:00:00 ", "-24:00:00"),
        .. Bad("RedisHashSession:IdleTimeout", Day, "24:00:00:00", "1:00:00:00", "1.24:00:00"),
        .. Bad("RedisHashSession:RefreshInterval", Day, "24:00:00"),
        .. Bad("RedisHashSession:OutageTolerance", Day, "24:00:00"),
        .. Bad("RedisHashSession:AbsoluteTimeout", Day, "24:00:00"),
        .. Bad("RedisHashSession:AbsoluteTimeout", Duration, "never", "8"),
        .. Bad("RedisHashSession:IOTimeout", Duration, "5", "infinite"),
        .. Bad("RedisHashSession:IOTimeout", Day, "24:00:00"),
        .. Bad("RedisHashSession:Cookie:HttpOnly", "true or false", "x"),
        .. Bad("RedisHashSession:Cookie:SecurePolicy", "SameAsRequest, Always, None", "true"),
        .. Bad("RedisHashSession:Cookie:SameSite", "Lax, Strict", "Lax-ish"),
        .. Bad("RedisHashSession:Cookie:MaxAge", Duration, "30"),
        .. Bad("RedisHashSession:Cookie:MaxAge", Day, "48:00:00"),
        .. Bad("RedisHashSession:Cookie:IsEssential", "true or false", "j"),
    ];

    private static IEnumerable<string[]> Bad(string name, string wanted, params string[] texts) =>
        texts.Select(text => new[] { name, text, wanted });

    [TestCaseSource(nameof(Settings))]
    public async Task Unparsable_setting_stops_the_start_and_is_named(string name, string text, string wanted) => Assert.That(
        await Application.RefusalAsync(InMemorySettings.Of((name, text))),
        Does.Contain($"The setting {name} is '{text}'").And.Contains(wanted));

    [TestCase("23:59:59", 86_399)]
    [TestCase("1.00:00:00", 86_400)]
    [TestCase("30.0:0:0", 30 * 86_400)]
    [TestCase("0:00:01.5", 1.5)]
    [TestCase(" 00:20:00 ", 1_200)]
    [TestCase("00:20:00\n", 1_200)]
    [TestCase("-00:00:00.001", -0.001)]
    public void Duration_is_as_long_as_it_reads(string text, double seconds) =>
        Assert.That(SessionSetting.Duration(text), Is.EqualTo(TimeSpan.FromSeconds(seconds)));

    [Test]
    public async Task Setting_in_a_section_is_named_by_its_whole_path()
    {
        var section = InMemorySettings.Of(("App:Session:Cookie:SameSite", "sometimes")).GetSection("App:Session");
        string refusal = await Application.RefusalAsync(section);
        Assert.That(refusal, Does.Contain("The setting App:Session:Cookie:SameSite is 'sometimes'"));
    }

    [Test]
    public void All_unparsable_settings_are_named_at_once()
    {
        var configuration = InMemorySettings.Of(("SESSION_EXPIRE", "x"), ("session-cookie-secure", "y"), ("RedisHashSession:Mode", "z"));
        var error = Assert.Throws<OptionsValidationException>(() => SessionConfiguration.Apply(configuration, new()))!;
        Assert.That(error.Failures, Has.Exactly(3).Items);
        Assert.That(
            error.Message, Does.Contain("SESSION_EXPIRE").And.Contains("session-cookie-secure").And.Contains("RedisHashSession:Mode"));
    }

    // What parses and still cannot work is refused by the same start, under the option's name.
    [Test]
    public async Task Setting_that_parses_and_cannot_work_stops_the_start()
    {
        string refusal = await Application.RefusalAsync(InMemorySettings.Of(
            ("SESSION_REDIS", "localhost"), ("RedisHashSession:IdleTimeout", "00:00:00"), ("SESSION_COOKIE_ID", "a b")));
        Assert.That(refusal, Does.Contain("IdleTimeout is 00:00:00").And.Contains("Cookie.Name is 'a b'"));
    }

    [Test]
    public async Task Secret_in_a_setting_does_not_show()
    {
        string refusal = await Application.RefusalAsync(InMemorySettings.Of(
            ("SESSION_REDIS", "redis://me:hunter2@localhost:port"), ("session-redis", "redis://me:hunter2@localhost/x")));
        Assert.That(refusal, Does.Contain("database").And.Not.Contain(BadConfigurations.Password));
    }
}
