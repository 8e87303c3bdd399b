namespace RedisSession.Provider.Tests;

/// <summary>One log entry for a request that has waited for many reads one after the other.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class HintTests(ServerKind kind) : BothModesFixture(kind)
{
    [TestCase(RedisSessionMode.Buffered, 8, false), TestCase(RedisSessionMode.Buffered, 9, true)]
    [TestCase(RedisSessionMode.Live, 8, false), TestCase(RedisSessionMode.Live, 9, true)]
    public Task More_than_8_asynchronous_reads_are_worth_it(RedisSessionMode mode, int reads, bool isHinted) =>
        AssertHintAsync(mode, isHinted ? reads : null, session => ReadAsync(session, reads));

    [TestCase(RedisSessionMode.Buffered, 20, null)] // one load
    [TestCase(RedisSessionMode.Live, 8, null), TestCase(RedisSessionMode.Live, 20, 20)]
    public Task So_are_synchronous_ones_in_live_mode(RedisSessionMode mode, int reads, int? hinted) =>
        AssertHintAsync(mode, hinted, session =>
        {
            for (int i = 0; i < reads; i++) session.GetString("key" + i);
            return Task.CompletedTask;
        });

    [Test]
    public Task Several_keys_in_one_call_count_once_and_so_does_a_load([Values] RedisSessionMode mode) =>
        AssertHintAsync(mode, null, async session =>
        {
            await session.LoadAsync();
            for (int i = 0; i < 20; i++) session.GetString("key" + i);
            for (int i = 0; i < 7; i++) await session.ReadAsync(["a", "b", "c"]);
        });

    [Test]
    public Task What_a_request_has_set_itself_is_not_asked_for_and_does_not_count() =>
        AssertHintAsync(RedisSessionMode.Buffered, null, async session =>
        {
            session.SetString("key", "2");
            for (int i = 0; i < 20; i++) await session.GetStrAsync("key");
        });

    [Test]
    public Task It_is_one_entry_with_the_number_of_all_reads_however_often_the_request_commits([Values] RedisSessionMode mode) =>
        AssertHintAsync(mode, 25, async session =>
        {
            await ReadAsync(session, 12);
            await session.CommitAsync();
            await ReadAsync(session, 13);
            await session.CommitAsync();
        });

    [Test]
    public async Task It_names_the_cure_and_no_keys_at_information_level([Values] RedisSessionMode mode)
    {
        var entry = (await HintsAfterAsync(mode, session => ReadAsync(session, 9))).Single();
        Assert.That(entry.Level, Is.EqualTo(LogLevel.Information));
        Assert.That(entry.Message, Does.Contain("LoadAsync").And.Contain("ReadAsync(keys)").And.Not.Contain("secret"));
    }

    private static async Task ReadAsync(ISession session, int reads)
    {
        for (int i = 0; i < reads; i++) await session.GetStrAsync("secret" + i);
    }

    /// <summary>There is one hint about the request, with the number of reads; none when that is null.</summary>
    private async Task AssertHintAsync(RedisSessionMode mode, int? reads, Func<ISession, Task> work)
    {
        string[] hints = [.. (await HintsAfterAsync(mode, work)).Select(hint => hint.Message)];
        if (reads is null) Assert.That(hints, Is.Empty);
        else Assert.That(hints, Has.Length.EqualTo(1).And.One.Contains($" in {reads} sequential round trips"));
    }

    private async Task<IEnumerable<RecordedLogs.Entry>> HintsAfterAsync(RedisSessionMode mode, Func<ISession, Task> work)
    {
        using var browser = Apps[mode].NewBrowser();
        string id = await browser.SetStringAsync();
        await browser.VisitAsync(context => work(context.Session));
        return Apps[mode].Logs.Of(SessionEvents.ManySequentialReads).Where(entry => entry.Message.Contains(id, StringComparison.Ordinal));
    }
}
