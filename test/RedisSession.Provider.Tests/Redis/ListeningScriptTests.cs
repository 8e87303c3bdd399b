namespace RedisSession.Provider.Tests;

/// <summary>What the record of who listened when says about the times in between.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class ListeningScriptTests(ServerKind kind)
{
    [Test]
    public async Task The_first_instance_ever_has_missed_nothing()
    {
        var key = await NewKeyAsync();
        Assert.That(await key.BeatAsync("a", begins: true), Is.Null);
        Assert.That(await key.BeatAsync("a", begins: false), Is.Null);
        Assert.That(await key.Database.KeyTimeToLiveAsync(key.Name), Is.GreaterThan(TimeSpan.FromDays(29)));
    }

    [Test]
    public async Task The_time_between_two_instances_is_told_to_the_second_once()
    {
        var key = await NewKeyAsync();
        await key.BeatAsync("a", begins: true);
        await key.EndAsync("a");
        long ended = (long)await key.Database.HashGetAsync(key.Name, "@until");
        await Task.Delay(5);
        var missed = await key.BeatAsync("b", begins: true);
        Assert.That(missed!.Since.ToUnixTimeMilliseconds(), Is.EqualTo(ended));
        Assert.That(missed.Until, Is.GreaterThan(missed.Since).And.LessThan(missed.Since.AddSeconds(30)));
        Assert.That(await key.BeatAsync("b", begins: false), Is.Null);
        Assert.That(await key.BeatAsync("c", begins: true), Is.Null);
    }

    [Test]
    public async Task Of_two_that_begin_at_the_same_moment_one_is_told()
    {
        var key = await NewKeyAsync();
        await key.SetAsync("@until", -10_000);
        await key.SetAsync("a", 0, 0, judged: false);
        await key.SetAsync("b", 0, 0, judged: false);
        var beats = new List<ListeningGap?>();
        foreach (string instance in (string[])["b", "a", "b"]) beats.Add(await key.BeatAsync(instance, begins: false));
        Assert.That(beats.OfType<ListeningGap>().Count(), Is.EqualTo(1));
    }

    [Test]
    public async Task Nothing_is_told_while_one_that_fell_silent_may_still_listen()
    {
        var key = await NewKeyAsync();
        await key.SetAsync("silent", -100_000, -50_000);
        Assert.That(await key.BeatAsync("a", begins: true), Is.Null, "50 seconds are less than a minute");
        await key.SetAsync("silent", -100_000, 20_000); // it says something
        Assert.That(await key.BeatAsync("a", begins: false), Is.Null);
        await key.SetAsync("silent", -100_000, -70_000); // and is gone later
        Assert.That(await key.BeatAsync("a", begins: false), Is.Null, "that it had listened is known already");
    }

    [Test]
    public async Task What_one_that_died_has_left_open_is_told_when_it_is_certain()
    {
        var key = await NewKeyAsync();
        await key.SetAsync("dead", -100_000, -50_000);
        Assert.That(await key.BeatAsync("a", begins: true), Is.Null);
        var missed = await key.BeatAsync("a", begins: false, patience: 30);
        Assert.That(missed!.Since.ToUnixTimeMilliseconds(), Is.EqualTo(key.Zero - 50_000));
        Assert.That(missed.Until.ToUnixTimeMilliseconds(), Is.EqualTo(key.Zero).Within(20_000));
        Assert.That(await key.BeatAsync("a", begins: false, patience: 30), Is.Null);
        Assert.That(await key.Database.HashExistsAsync(key.Name, "dead"), Is.False);
    }

    [Test]
    public async Task One_that_was_interrupted_is_told_unless_another_listened_meanwhile([Values] bool another)
    {
        var key = await NewKeyAsync();
        await key.SetAsync("a", -100_000, -5_000);
        if (another) await key.SetAsync("b", -90_000, 0);
        var missed = await key.BeatAsync("a", begins: true);
        if (another)
        {
            Assert.That(missed, Is.Null, "b's last word is a moment old");
            Assert.That(await key.BeatAsync("b", begins: false), Is.Null);
            Assert.That(await key.BeatAsync("a", begins: false), Is.Null);
        }
        else
        {
            Assert.That(missed!.Since.ToUnixTimeMilliseconds(), Is.EqualTo(key.Zero - 5_000));
        }
    }

    [Test]
    public async Task One_that_was_interrupted_is_told_though_the_record_is_gone_unless_another_has_begun_since([Values] bool another)
    {
        var key = await NewKeyAsync();
        if (another) await key.BeatAsync("b", begins: true, said: key.Zero - 8_000);
        var missed = await key.BeatAsync("a", begins: true, said: key.Zero - 5_000);
        if (another)
        {
            Assert.That(missed, Is.Null, "b was told");
            await Task.Delay(5);
            await key.BeatAsync("b", begins: false);
            Assert.That(await key.BeatAsync("a", begins: false), Is.Null);
        }
        else
        {
            Assert.That(missed!.Since.ToUnixTimeMilliseconds(), Is.EqualTo(key.Zero - 5_000));
            Assert.That(missed.Until.ToUnixTimeMilliseconds(), Is.EqualTo(key.Zero).Within(20_000));
            Assert.That(await key.BeatAsync("a", begins: false, said: key.Zero), Is.Null);
        }
    }

    [Test]
    public async Task The_servers_clock_is_what_a_beat_answers()
    {
        var key = await NewKeyAsync();
        var beat = await new ListeningRecord(key.Database, key.Name).BeatAsync("a", begins: true, TimeSpan.FromMinutes(1));
        Assert.That(beat.At, Is.EqualTo(key.Zero).Within(20_000));
        Assert.That((string?)await key.Database.HashGetAsync(key.Name, "a"), Is.EqualTo($"{beat.At} {beat.At} 1"));
    }

    private async Task<Key> NewKeyAsync()
    {
        var database = (await TestServers.GetAsync(kind)).Admin.GetDatabase();
        var time = (RedisResult[])(await database.ExecuteAsync("TIME"))!;
        string name = SessionStack.NewKeyPrefix() + "lifecycle";
        return new Key(database, name, ((long)time[0] * 1000) + ((long)time[1] / 1000));
    }

    private sealed record Key(IDatabase Database, string Name, long Zero)
    {
        /// <summary>What a beat is told.</summary>
        public async Task<ListeningGap?> BeatAsync(string instance, bool begins, int patience = 60, long said = 0) =>
            (await new ListeningRecord(Database, Name).BeatAsync(instance, begins, TimeSpan.FromSeconds(patience), said)).Missed;

        public Task EndAsync(string instance) => new ListeningRecord(Database, Name).EndAsync(instance);

        public Task SetAsync(string field, long at) => SetAsync(field, $"{Zero + at}");

        public Task SetAsync(string field, long since, long last, bool judged = true) =>
            SetAsync(field, $"{Zero + since} {Zero + last} {(judged ? 1 : 0)}");

        private async Task SetAsync(string field, string value)
        {
            await Database.HashSetAsync(Name, field, value);
            await Database.KeyExpireAsync(Name, TimeSpan.FromHours(1));
        }
    }
}
