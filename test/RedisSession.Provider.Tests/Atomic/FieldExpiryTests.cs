namespace RedisSession.Provider.Tests;

/// <summary>Keys that disappear by themselves, where the server knows how.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class FieldExpiryTests(ServerKind kind) : BothModesFixture(kind)
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    private readonly bool _isSupported = kind.HasFieldExpiry;

    [Test]
    public async Task That_key_alone_disappears([Values] RedisSessionMode mode)
    {
        if (!_isSupported) return; // see the next test
        using var browser = await Apps[mode].NewVisitorAsync();
        await browser.VisitAsync(async context =>
        {
            await context.Session.SetValueAsync("code", "123456", TimeSpan.FromMilliseconds(300));
            Assert.That(context.Session.GetStr("code"), Is.EqualTo("123456"));
        });
        await Assert.ThatAsync(() => browser.VisitAsync(async context => await context.Session.IsNoneAsync("code")), Is.True.After(10_000, 20));
        Assert.That(await browser.VisitAsync(session => session.Keys), Is.EqualTo(["key"]));
    }

    [Test]
    public async Task Where_the_server_cannot_that_is_said_and_nothing_written([Values] RedisSessionMode mode)
    {
        using var browser = await Apps[mode].NewVisitorAsync();
        using var visitor = Apps[mode].NewBrowser();
        foreach (var one in (Browser[])[browser, visitor])
        {
            await one.VisitAsync(async context =>
            {
                var session = context.Session;
                var keys = session.Keys.ToList();
                if (_isSupported)
                {
                    Assert.That(() => session.SetValueAsync("code", "123456", Long), Throws.Nothing);
                    return;
                }

                Assert.That(
                    () => session.SetValueAsync("code", "123456", Long),
                    Throws.InstanceOf<NotSupportedException>().With.Message.Contains("Redis 7.4").And.Message.Contains("Valkey 9"));
                Assert.That(session.Keys, Is.EqualTo(keys));
                Assert.That(await session.IsNoneAsync("code"), Is.True);
                Assert.That(await Redis.KeyExistsAsync(Stack.KeyOf(session.Id)), Is.EqualTo(one == browser));

                // The request goes on as if it had not been tried.
                await session.SetValueAsync("after", 1);
            });
        }
    }

    [Test]
    public async Task It_is_exact_to_the_millisecond_and_survives_a_renewed_key([Values] RedisSessionMode mode)
    {
        if (!_isSupported) return;
        using var browser = await Apps[mode].NewVisitorAsync();
        await browser.VisitAsync(context => context.Session.SetValueAsync("code", "123456", TimeSpan.FromMilliseconds(300_500)));
        await browser.VisitAsync(async context =>
        {
            Assert.That((await LeftAsync(context, "code")).TotalMilliseconds, Is.InRange(280_000, 300_500));
            await context.RenewSessionAsync();
            Assert.That((await LeftAsync(context, "code")).TotalMilliseconds, Is.InRange(280_000, 300_500));
            Assert.That(context.Session.GetStr("code"), Is.EqualTo("123456"));
        });
    }

    [Test]
    public async Task Another_set_takes_the_expiry_away([Values] RedisSessionMode mode)
    {
        if (!_isSupported) return;
        using var browser = await Apps[mode].NewVisitorAsync();
        foreach (var set in (Func<ISession, Task>[])[
            session => session.SetValueAsync("code", "new"),
            session => { session.SetString("code", "new"); return session.CommitAsync(); },
            session => session.UpdateJsonAsync<int>("code", n => n + 1)])
        {
            await browser.VisitAsync(async context =>
            {
                await context.Session.SetValueAsync("code", "1", Long);
                Assert.That(await LeftAsync(context, "code"), Is.GreaterThan(TimeSpan.Zero));
                await set(context.Session);
                Assert.That(await LeftAsync(context, "code"), Is.LessThan(TimeSpan.Zero));
            });
        }
    }

    [Test]
    public async Task An_increment_keeps_it([Values] RedisSessionMode mode)
    {
        if (!_isSupported) return;
        using var browser = await Apps[mode].NewVisitorAsync();
        await browser.VisitAsync(async context =>
        {
            await context.Session.SetValueAsync("tries", 1, Long);
            Assert.That(await context.Session.IncrementAsync("tries"), Is.EqualTo(2));
            Assert.That(await LeftAsync(context, "tries"), Is.GreaterThan(TimeSpan.Zero));
        });
    }

    [Test]
    public async Task It_must_be_positive([Values] RedisSessionMode mode)
    {
        using var browser = await Apps[mode].NewVisitorAsync();
        await browser.VisitAsync(async context =>
        {
            foreach (var expiresIn in (TimeSpan[])[TimeSpan.Zero, TimeSpan.FromTicks(-1), Timeout.InfiniteTimeSpan])
            {
                Assert.That(
                    () => context.Session.SetAsync("code", [1], expiresIn),
                    Throws.InstanceOf<ArgumentOutOfRangeException>().With.Property("ParamName").EqualTo("expiresIn"));
            }

            Assert.That(await context.Session.IsNoneAsync("code"), Is.True);
        });
    }

    /// <summary>Negative where the key does not expire by itself.</summary>
    private async Task<TimeSpan> LeftAsync(HttpContext context, string key)
    {
        long[] left = await Redis.HashFieldGetTimeToLiveAsync(Stack.KeyOf(context.Session.Id), [key]);
        return TimeSpan.FromMilliseconds(left[0]);
    }
}
