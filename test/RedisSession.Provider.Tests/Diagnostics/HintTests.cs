using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace RedisSession.Provider.Tests;

/// <summary>One log entry for a request that has waited for many reads one after the other.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
[Parallelizable]
internal sealed class HintTests(ServerKind kind) : BothModesFixture(kind)
{
    [TestCase(RedisSessionMode.Buffered, 8, false)]
    [TestCase(RedisSessionMode.Buffered, 9, true)]
    [TestCase(RedisSessionMode.Live, 8, false)]
    [TestCase(RedisSessionMode.Live, 9, true)]
    public async Task More_than_8_asynchronous_reads_are_worth_it(RedisSessionMode mode, int reads, bool isHinted)
    {
        using var browser = Apps[mode].NewBrowser();
        string id = await NewSessionAsync(browser);
        await browser.VisitAsync(async context =>
        {
            for (int i = 0; i < reads; i++) await context.Session.GetStrAsync("key" + i);
        });
        AssertHint(mode, id, isHinted ? reads : null);
    }

    [TestCase(RedisSessionMode.Buffered, 20, null)] // one load
    [TestCase(RedisSessionMode.Live, 8, null)]
    [TestCase(RedisSessionMode.Live, 20, 20)]
    public async Task So_are_synchronous_ones_in_live_mode(RedisSessionMode mode, int reads, int? hinted)
    {
        using var browser = Apps[mode].NewBrowser();
        string id = await NewSessionAsync(browser);
        await browser.VisitAsync(session =>
        {
            for (int i = 0; i < reads; i++) session.GetString("key" + i);
        });
        AssertHint(mode, id, hinted);
    }

    [Test]
    public async Task Several_keys_in_one_call_count_once_and_so_does_a_load([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        string id = await NewSessionAsync(browser);
        await browser.VisitAsync(async context =>
        {
            await context.Session.LoadAsync();
            for (int i = 0; i < 20; i++) context.Session.GetString("key" + i);
            for (int i = 0; i < 7; i++) await context.Session.ReadAsync(["a", "b", "c"]);
        });
        AssertHint(mode, id, null);
    }

    [Test]
    public async Task What_a_request_has_set_itself_is_not_asked_for_and_does_not_count()
    {
        using var browser = Apps[RedisSessionMode.Buffered].NewBrowser();
        string id = await NewSessionAsync(browser);
        await browser.VisitAsync(async context =>
        {
            context.Session.SetString("key", "2");
            for (int i = 0; i < 20; i++) await context.Session.GetStrAsync("key");
        });
        AssertHint(RedisSessionMode.Buffered, id, null);
    }

    [Test]
    public async Task It_is_one_entry_with_the_number_of_all_reads_however_often_the_request_commits([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        string id = await NewSessionAsync(browser);
        await browser.VisitAsync(async context =>
        {
            for (int i = 0; i < 12; i++) await context.Session.GetStrAsync("key" + i);
            await context.Session.CommitAsync();
            for (int i = 0; i < 13; i++) await context.Session.GetStrAsync("key" + i);
            await context.Session.CommitAsync();
        });
        AssertHint(mode, id, 25);
    }

    [Test]
    public async Task It_names_the_cure_and_no_keys_at_information_level([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        string id = await NewSessionAsync(browser);
        await browser.VisitAsync(async context =>
        {
            for (int i = 0; i < 9; i++) await context.Session.GetStrAsync("secret" + i);
        });
        var entry = HintsAbout(mode, id).Single();
        Assert.That(entry.Level, Is.EqualTo(LogLevel.Information));
        Assert.That(entry.Message, Does.Contain("LoadAsync").And.Contain("ReadAsync(keys)").And.Not.Contain("secret"));
    }

    private static Task<string> NewSessionAsync(Browser browser) => browser.VisitAsync(session =>
    {
        session.SetString("key", "1");
        return session.Id;
    });

    /// <summary>There is one hint about the session, with the number of reads; none when that is null.</summary>
    private void AssertHint(RedisSessionMode mode, string id, int? reads)
    {
        string[] hints = [.. HintsAbout(mode, id).Select(hint => hint.Message)];
        if (reads is null) Assert.That(hints, Is.Empty);
        else Assert.That(hints, Has.Length.EqualTo(1).And.One.Contains($" in {reads} sequential round trips"));
    }

    private IEnumerable<RecordedLogs.Entry> HintsAbout(RedisSessionMode mode, string id) =>
        Apps[mode].Logs.Of(SessionEvents.ManySequentialReads).Where(entry => entry.Message.Contains(id, StringComparison.Ordinal));
}
