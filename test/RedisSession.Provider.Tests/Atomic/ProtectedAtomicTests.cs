namespace RedisSession.Provider.Tests;

/// <summary>The same where Redis cannot read the values.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class ProtectedAtomicTests(ServerKind kind) : BothModesFixture(kind)
{
    private readonly bool _hasFieldExpiry = kind.HasFieldExpiry;

    protected override void Configure(RedisHashSessionOptions options) => options.ProtectValues = true;

    [Test]
    public async Task Increments_are_not_lost([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        await browser.VisitAsync(session => session.SetValue("n", 1));
        await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => browser.VisitAsync(context => context.Session.IncrementAsync("n", 2))));
        Assert.That(await browser.VisitAsync(session => session.GetInt("n")), Is.EqualTo(61));
    }

    [Test]
    public async Task What_cannot_be_incremented_stays([Values] RedisSessionMode mode)
    {
        using var browser = Apps[mode].NewBrowser();
        await browser.VisitAsync(async context =>
        {
            await context.Session.SetValueAsync("text", "ten");
            await context.Session.SetValueAsync("most", long.MaxValue);
            Assert.That(() => context.Session.IncrementAsync("text"), Throws.InvalidOperationException);
            Assert.That(() => context.Session.IncrementAsync("most"), Throws.InstanceOf<OverflowException>());
            Assert.That(await context.Session.GetStrAsync("text"), Is.EqualTo("ten"));
        });
    }

    /// <summary>As in AtomicChangeTests.</summary>
    [TestCase("+5")]
    [TestCase("007")]
    [TestCase("-0")]
    [TestCase(" 5")]
    [TestCase("")]
    [TestCase("9223372036854775808")]
    public async Task What_Redis_would_not_add_to_is_refused_here_too(string value)
    {
        using var browser = Apps[RedisSessionMode.Buffered].NewBrowser();
        await browser.VisitAsync(async context =>
        {
            await context.Session.SetValueAsync("n", value);
            Assert.That(() => context.Session.IncrementAsync("n"), Throws.InvalidOperationException.With.Message.Contains("not an integer"));
            Assert.That(await context.Session.GetStrAsync("n"), Is.EqualTo(value));
        });
    }

    [TestCase(long.MaxValue, 1)]
    [TestCase(-2, long.MinValue)]
    [TestCase(1, long.MaxValue)]
    public async Task A_sum_that_does_not_fit_is_refused_in_the_same_words(long value, long by)
    {
        using var browser = Apps[RedisSessionMode.Buffered].NewBrowser();
        await browser.VisitAsync(async context =>
        {
            await context.Session.SetValueAsync("n", value);
            Assert.That(
                () => context.Session.IncrementAsync("n", by),
                Throws.TypeOf<OverflowException>().With.Message.Contains("'n'").And.Message.Contains("64 bits"));
            Assert.That(await context.Session.GetLongAsync("n"), Is.EqualTo(value));
        });
    }

    [Test]
    public async Task An_increment_keeps_the_expiry_and_an_update_ends_it([Values] RedisSessionMode mode)
    {
        if (!_hasFieldExpiry) return;
        using var browser = Apps[mode].NewBrowser();
        await browser.VisitAsync(async context =>
        {
            await context.Session.SetValueAsync("tries", 0, TimeSpan.FromMinutes(5));
            long before = await ExpiryOfAsync();
            Assert.That(before, Is.Positive);
            Assert.That(await context.Session.IncrementAsync("tries"), Is.EqualTo(1));
            Assert.That(await context.Session.IncrementAsync("tries"), Is.EqualTo(2));
            Assert.That(await ExpiryOfAsync(), Is.EqualTo(before));
            await context.Session.UpdateJsonAsync<int>("tries", n => n + 1);
            Assert.That(await ExpiryOfAsync(), Is.Negative);

            async Task<long> ExpiryOfAsync() =>
                (await Redis.HashFieldGetExpireDateTimeAsync(Stack.KeyOf(context.Session.Id), ["tries"])).Single();
        });
    }

    /// <summary>Another instance, whose key ring is complete, may read it.</summary>
    [Test]
    public async Task What_cannot_be_decrypted_is_not_overwritten_unless_it_is_set([Values] RedisSessionMode mode)
    {
        byte[] value = [0, (byte)'d', (byte)'p', (byte)'1', .. new byte[100]];
        using var browser = await Apps[mode].NewVisitorAsync();
        await browser.VisitAsync(async context =>
        {
            var session = context.Session;
            await Redis.HashSetAsync(Stack.KeyOf(session.Id), "n", value);
            Assert.That(await session.IsNoneAsync("n"), Is.True);
            foreach (Func<Task> change in (Func<Task>[])[
                () => session.IncrementAsync("n"), () => session.UpdateJsonAsync<int>("n", n => n + 1)])
            {
                Assert.That(change, Throws.InvalidOperationException.With.Message.Contains("'n'").And.Message.Contains("cannot be decrypted"));
            }

            Assert.That(await session.TrySetValueAsync("n", 1), Is.False);
            Assert.That((byte[]?)await Redis.HashGetAsync(Stack.KeyOf(session.Id), "n"), Is.EqualTo(value));

            await session.SetValueAsync("n", 1);
            Assert.That(await session.IncrementAsync("n"), Is.EqualTo(2));
        });
    }

    [Test]
    public async Task What_cannot_be_decrypted_is_absent_to_who_takes_it_and_gone([Values] RedisSessionMode mode)
    {
        using var browser = await Apps[mode].NewVisitorAsync();
        await browser.VisitAsync(async context =>
        {
            var key = Stack.KeyOf(context.Session.Id);
            await Redis.HashSetAsync(key, "token", (byte[])[0, (byte)'d', (byte)'p', (byte)'1', .. new byte[100]]);
            Assert.That((await context.Session.TakeAsync("token")).None, Is.True);
            Assert.That(await Redis.HashExistsAsync(key, "token"), Is.False);
        });
    }

    [Test]
    public async Task They_read_and_write_plainly_and_Redis_holds_neither([Values] RedisSessionMode mode, [Values] bool loaded)
    {
        using var browser = Apps[mode].NewBrowser();
        await browser.VisitAsync(session => session.SetString("token", "plain token"));
        await browser.VisitAsync(async context =>
        {
            var session = context.Session;
            if (loaded) await session.LoadAsync();
            Assert.That(await session.TrySetValueAsync("first", "plain first"), Is.True);
            Assert.That(await session.TrySetValueAsync("first", "plain second"), Is.False);
            await session.UpdateJsonAsync<string[]>("list", list => [.. list ?? [], "plain item"]);
            await session.UpdateJsonAsync<string[]>("list", list => [.. list ?? [], "plain item"]);

            Assert.That(session.GetStr("first"), Is.EqualTo("plain first"));
            Assert.That(session.GetJsonOr<string[]>("list", []), Is.EqualTo(new[] { "plain item", "plain item" }));
            Assert.That(session.GetStr("token"), Is.EqualTo("plain token"));
            var stored = await Redis.HashValuesAsync(Stack.KeyOf(session.Id));
            Assert.That(stored.Select(value => value.ToString()), Has.None.Contains("plain"));

            Assert.That((await session.TakeAsync("token")).Str, Is.EqualTo("plain token"));
        });
    }
}
