using Microsoft.Extensions.Options;

namespace RedisSession.Provider.Tests;

/// <summary>A text that cannot mean what its setting needs stops the start; the message names the setting as it was written.</summary>
internal sealed class BadSettingTests
{
    private const string Duration = "[days.]hours:minutes:seconds";
    private const string Day = "1.00:00:00 for 24 hours";

    // Setting, text, what is wanted instead.
    private static readonly string[][] Settings =
    [
        ["SESSION_EXPIRE", "0", "seconds"],
        ["SESSION_EXPIRE", "-1", "seconds"],
        ["SESSION_EXPIRE", "1.5", "seconds"],
        ["SESSION_EXPIRE", "1h", "seconds"],
        ["SESSION_EXPIRE", "00:20:00", "seconds"],
        ["SESSION_EXPIRE", "1_000", "seconds"],
        ["SESSION_EXPIRE", " 90", "seconds"],
        ["SESSION_EXPIRE", "99999999999", "from 1 to 2147483647"],
        ["session-expire", "soon", "seconds"],
        ["SESSION_COOKIE_SECURE", "yes", "true or false"],
        ["SESSION_COOKIE_SECURE", "2", "true or false"],
        ["session-cookie-secure", "on", "true or false"],
        ["SESSION_COOKIE_HTTP_ONLY", "no", "true or false"],
        ["session-cookie-http-only", "no", "true or false"],
        ["RedisHashSession:Mode", "fast", "Buffered, Live"],
        ["RedisHashSession:Mode", "1", "Buffered, Live"],
        ["RedisHashSession:Mode", "-1", "Buffered, Live"],
        ["RedisHashSession:Mode", "+1", "Buffered, Live"],
        ["RedisHashSession:Mode", " 1", "Buffered, Live"],
        ["RedisHashSession:Mode", "-0", "Buffered, Live"],
        ["RedisHashSession:Mode", "Buffered,Live", "Buffered, Live"],
        ["RedisHashSession:Mode", "Buffered, Live", "one of Buffered, Live"],
        ["RedisHashSession:FailureMode", "ignore", "LogAndContinue, Throw"],
        ["RedisHashSession:ProtectValues", "ture", "true or false"],
        ["RedisHashSession:WaitForReplicas", "-1", "a whole number from 0 to"],
        ["RedisHashSession:WaitForReplicas", "1.5", "a whole number from 0 to"],
        ["RedisHashSession:WaitForReplicas", "two", "a whole number from 0 to"],
        ["RedisHashSession:WaitForReplicas", "99999999999", "from 0 to 2147483647"],
        ["RedisHashSession:TakeOverSessions", "tru", "did you mean true?"],
        ["RedisHashSession:UseDedicatedThreads", "maybe", "true or false"],
        ["RedisHashSession:IdleTimeout", "20", Duration],
        ["RedisHashSession:IdleTimeout", "1200", Duration],
        ["RedisHashSession:IdleTimeout", "-20", Duration],
        ["RedisHashSession:IdleTimeout", "+20", Duration],
        ["RedisHashSession:IdleTimeout", "0020", Duration],
        ["RedisHashSession:IdleTimeout", " 20", Duration],
        ["RedisHashSession:IdleTimeout", "20 ", Duration],
        ["RedisHashSession:IdleTimeout", "20\n", Duration],
        ["RedisHashSession:IdleTimeout", "20m", Duration],
        ["RedisHashSession:IdleTimeout", "1.5", Duration],
        ["RedisHashSession:IdleTimeout", "99999999999", Duration],
        ["RedisHashSession:IdleTimeout", "25:61:00", Duration],
        ["RedisHashSession:IdleTimeout", "24:00:00", Day],
        ["RedisHashSession:IdleTimeout", "36:00:00", Day],
        ["RedisHashSession:IdleTimeout", "99:00:00", Day],
        ["RedisHashSession:IdleTimeout", " 24:00:00 ", Day],
        ["RedisHashSession:IdleTimeout", "-24:00:00", Day],
        ["RedisHashSession:IdleTimeout", "24:00:00:00", Day],
        ["RedisHashSession:IdleTimeout", "1:00:00:00", Day],
        ["RedisHashSession:IdleTimeout", "1.24:00:00", Day],
        ["RedisHashSession:IdleTimeout", "20:00", Duration],
        ["RedisHashSession:IdleTimeout", "1.12:00", Duration],
        ["RedisHashSession:IdleTimeout", "1:00:90", Duration],
        ["RedisHashSession:RefreshInterval", "24:00:00", Day],
        ["RedisHashSession:OutageTolerance", "24:00:00", Day],
        ["RedisHashSession:AbsoluteTimeout", "24:00:00", Day],
        ["RedisHashSession:AbsoluteTimeout", "never", Duration],
        ["RedisHashSession:AbsoluteTimeout", "8", Duration],
        ["RedisHashSession:IOTimeout", "5", Duration],
        ["RedisHashSession:IOTimeout", "infinite", Duration],
        ["RedisHashSession:IOTimeout", "24:00:00", Day],
        ["RedisHashSession:Cookie:HttpOnly", "x", "true or false"],
        ["RedisHashSession:Cookie:SecurePolicy", "true", "SameAsRequest, Always, None"],
        ["RedisHashSession:Cookie:SameSite", "Lax-ish", "Lax, Strict"],
        ["RedisHashSession:Cookie:MaxAge", "30", Duration],
        ["RedisHashSession:Cookie:MaxAge", "48:00:00", Day],
        ["RedisHashSession:Cookie:IsEssential", "j", "true or false"],
    ];

    [TestCaseSource(nameof(Settings))]
    public async Task Unparsable_setting_stops_the_start_and_is_named(string name, string text, string wanted)
    {
        string refusal = await Application.RefusalAsync(InMemorySettings.Of((name, text)));
        Assert.That(refusal, Does.Contain($"The setting {name} is '{text}'").And.Contains(wanted));
    }

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
        using var scope = Assert.EnterMultipleScope();
        Assert.That(error.Failures, Has.Exactly(3).Items);
        Assert.That(error.Message, Does.Contain("SESSION_EXPIRE").And.Contains("session-cookie-secure"));
        Assert.That(error.Message, Does.Contain("RedisHashSession:Mode"));
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
