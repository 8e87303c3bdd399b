namespace RedisSession.Provider.Tests;

/// <summary>What a request can do first with a session that AddSession has left, none of which may lose anything of it.</summary>
/// <param name="Name">Shows in test names.</param>
/// <param name="Work">Does it, and asserts what it finds.</param>
/// <param name="Removes">The keys that it removes or changes.</param>
internal sealed record FirstAccess(string Name, Func<HttpContext, Task> Work, params string[] Removes)
{
    public static IReadOnlyList<FirstAccess> All { get; } =
    [
        // Reading.
        Sync("a synchronous read", session => Assert.That(session.GetString("name"), Is.EqualTo("Ann"))),
        Sync("a typed synchronous read", session => Assert.That(session.GetInt("count"), Is.EqualTo(41))),
        Sync("a read of what is not there", session => Assert.That(session.GetString("other"), Is.Null)),
        Sync("the keys", session => Assert.That(session.Keys, Is.EquivalentTo(["@name", "bytes", "count", "empty", "name"]))),
        Sync("the question whether Redis is there", session => Assert.That(session.IsAvailable, Is.True)),
        new("a load", async context =>
        {
            await context.Session.LoadAsync();
            Assert.That(context.Session.GetString("name"), Is.EqualTo("Ann"));
        }),
        new("a load and another", async context =>
        {
            await context.Session.LoadAsync();
            await context.Session.ReloadAsync();
            Assert.That(context.Session.GetInt("count"), Is.EqualTo(41));
        }),
        new("a live read", async context => Assert.That(await context.Session.GetIntAsync("count"), Is.EqualTo(41))),
        new("a live read of several keys", async context =>
        {
            var values = await context.Session.ReadAsync(["count", "other", "name"]);
            Assert.That((values["count"].Int, values["other"].None, values["name"].Str), Is.EqualTo((41, true, "Ann")));
        }),
        new("live reads at once", async context => Assert.That(
            await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => context.Session.GetIntAsync("count").AsTask())), Is.All.EqualTo(41))),

        // Writing without having read.
        Adding("a set", session => session.SetString("new", "1")),
        Adding("several sets", session =>
        {
            for (int i = 0; i < 5; i++) session.SetString($"new{i}", "1");
        }),
        Adding("a set, and a read of something else", session =>
        {
            session.SetString("new", "1");
            Assert.That(session.GetString("name"), Is.EqualTo("Ann"));
        }),
        Adding("an asynchronous set", context => context.Session.SetValueAsync("new", 1)),
        Adding("a set of several keys", context =>
            context.Session.SetAsync(new Dictionary<string, byte[]> { ["new"] = [1], ["newer"] = [2] })),
        Adding("sets at once", context => Task.WhenAll(Enumerable.Range(0, 8).Select(i => context.Session.SetValueAsync($"new{i}", i)))),
        Adding("a commit of a set", context =>
        {
            context.Session.SetString("new", "1");
            return context.Session.CommitAsync();
        }),
        Sync("an overwriting set", session => session.SetString("name", "Bea"), "name"),
        Sync("a remove", session => session.Remove("name"), "name"),
        new("an asynchronous remove", context => context.Session.RemoveAsync("name"), "name"),
        Sync("a remove of what is not there", session => session.Remove("other")),

        // Changing what depends on what is there.
        Adding("an increment", async context => Assert.That(await context.Session.IncrementAsync("new"), Is.EqualTo(1))),
        Adding("increments at once", async context => Assert.That(
            await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => context.Session.IncrementAsync("new"))), Is.EquivalentTo([1L, 2L, 3L, 4L]))),
        new("a take", async context => Assert.That((await context.Session.TakeAsync("name")).Str, Is.EqualTo("Ann")), "name"),
        new("a take of what is not there", async context => Assert.That((await context.Session.TakeAsync("other")).None, Is.True)),
        new("a set of what is there, if it is not there", async context =>
            Assert.That(await context.Session.TrySetValueAsync("name", "Bea"), Is.False)),
        Adding("a set of what is not there", async context => Assert.That(await context.Session.TrySetValueAsync("new", 1), Is.True)),
        Adding("an update", async context => Assert.That(
            await context.Session.UpdateJsonAsync<int[]>("new", list => [.. list ?? [], 1]), Is.EqualTo(new[] { 1 }))),
        new("a set of a key that expires", async context =>
        {
            try
            {
                await context.Session.SetValueAsync("new", 1, TimeSpan.FromMinutes(5));
            }
            catch (NotSupportedException)
            {
                // Redis before 7.4 does not know such keys. The session is taken over all the same.
            }
        }),

        // Its life.
        new("a renewal", context => context.RenewSessionAsync()),
        new("a renewal for a user", context => context.RenewSessionAsync("ann")),
        Adding("a set and a renewal", context =>
        {
            context.Session.SetString("new", "1");
            return context.RenewSessionAsync();
        }),
        new("nothing at all", _ => Task.CompletedTask),
        Sync("the id", session => Assert.That(session.Id, Has.Length.EqualTo(43))),
        new("a commit of nothing", context => context.Session.CommitAsync()),
    ];

    /// <summary>Whether it leaves a key that begins with "new".</summary>
    public bool Adds { get; init; }

    public override string ToString() => Name;

    private static FirstAccess Adding(string name, Func<HttpContext, Task> work) => new(name, work) { Adds = true };

    private static FirstAccess Adding(string name, Action<ISession> work) => Sync(name, work) with { Adds = true };

    private static FirstAccess Sync(string name, Action<ISession> work, params string[] removes) => new(
        name,
        context =>
        {
            work(context.Session);
            return Task.CompletedTask;
        },
        removes);
}
