using System.Collections.Concurrent;

namespace RedisSession.Provider.Tests;

/// <summary>
/// Somebody has brought it about that a visitor uses a session whose cookie he knows (session fixation), and attacks it while the visitor
/// signs in: before, meanwhile and afterwards, in every way in which a cookie can be used. He never has anything of the new session.
/// </summary>
[TestFixtureSource(nameof(Ways))]
internal sealed class SessionFixationTests(ServerKind kind, bool inPortions) : RenewalFixture(kind, inPortions)
{
    private const string Secret = "secret";

    private static readonly Func<HttpContext, Task<string?>>[] Attacks =
    [
        async context => await context.Session.GetStrAsync(Secret),
        context => Task.FromResult(context.Session.GetString(Secret)),
        context => Task.FromResult((string?)string.Join(' ', context.Session.Keys.Where(key => key == Secret))),
        async context => (await context.Session.ReadAsync(["cart", Secret]))[Secret].Str,
        async context => { await context.Session.LoadAsync(); return context.Session.GetString(Secret); },
        async context => (await context.Session.TakeAsync(Secret)).Str,
        async context => await context.Session.TrySetAsync("attack", [1]) ? await context.Session.GetStrAsync(Secret) : null,
        async context =>
        {
            // He has an account, too, and signs in with the cookie that he knows.
            await context.RenewSessionAsync("mallory");
            return await context.Session.GetStrAsync(Secret);
        },
    ];

    [Test]
    public async Task The_old_cookie_never_reads_anything_of_the_new_session()
    {
        for (int round = 0; round < Tries.Of(4); round++)
        {
            using var victim = await NewVisitorAsync();
            using var known = victim.Twin();
            var stolen = new ConcurrentBag<string>();
            bool isOver = false;
            int attacksAfterwards = 0;
            var attackers = Attacks.Select(async attack =>
            {
                while (!isOver)
                {
                    using var attacker = known.Twin();
                    await attacker.SendAsync(async context =>
                    {
                        if (await attack(context) is { Length: > 0 } found) stolen.Add(found);
                    });
                    Interlocked.Increment(ref attacksAfterwards);
                }
            }).ToArray();
            await victim.VisitAsync(async context =>
            {
                await context.RenewSessionAsync("ann");
                await context.Session.SetAsync(Secret, "card number"u8.ToArray());
                await Task.Delay(20);
                context.Session.SetString(Secret, "card number 2");
            });
            Interlocked.Exchange(ref attacksAfterwards, 0);
            await Until.TrueAsync("they have attacked", () => Volatile.Read(ref attacksAfterwards) > 3 * Attacks.Length);
            isOver = true;
            await Task.WhenAll(attackers);
            Assert.That(stolen, Is.Empty);
            Assert.That(await victim.GetStringAsync(Secret), Is.EqualTo("card number 2"));
        }
    }

    [Test]
    public async Task The_old_cookie_is_dead_as_soon_as_the_response_is_there([Values] RedisSessionMode mode)
    {
        await using var app = await Stack.StartAsync(options => (options.Mode, options.RefreshInterval) = (mode, TimeSpan.Zero));
        for (int i = 0; i < Tries.Of(4); i++)
        {
            using var victim = await NewVisitorAsync(app);
            using var attacker = victim.Twin();
            await AssertWholeAsync(attacker); // so far he has what the visitor has
            await victim.RenewAsync("ann");
            Assert.That(await attacker.VisitAsync(session => session.Keys.ToArray()), Is.Empty);
            Assert.That(await attacker.VisitAsync(session => session.GetStr("cart")), Is.Empty);
            Assert.That(await attacker.VisitAsync(async context => await context.Session.GetStrAsync("cart")), Is.Empty);
            await AssertWholeAsync(victim);
        }
    }

    /// <summary>A response can take longer than the lease after which a session may be put back whose application has died.</summary>
    [Test]
    public async Task It_stays_dead_while_a_response_that_has_started_takes_its_time()
    {
        using var victim = await NewVisitorAsync();
        using var attacker = victim.Twin();
        TaskCompletionSource started = new(), attacked = new();
        var signingIn = victim.VisitAsync(async context =>
        {
            await context.RenewSessionAsync("ann");
            await context.Response.WriteAsync("a large page");
            await context.Response.Body.FlushAsync();
            started.SetResult();
            await attacked.Task;
        });
        await Task.WhenAny(started.Task, signingIn);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (clock.ElapsedMilliseconds < 2 * SessionMove.LeaseMilliseconds)
        {
            Assert.That(await attacker.VisitAsync(session => session.Keys.ToArray()), Is.Empty, $"after {clock.Elapsed}");
            await Task.Delay(50);
        }

        attacked.SetResult();
        await signingIn;
        await AssertWholeAsync(victim);
    }
}
