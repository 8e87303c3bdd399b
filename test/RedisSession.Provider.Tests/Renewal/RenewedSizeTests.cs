using System.Diagnostics;

namespace RedisSession.Provider.Tests;

/// <summary>A session of any size gets a new key at the same price, and nobody else notices.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[Category(FullRun.Only)]
internal sealed class RenewedSizeTests(ServerKind kind)
{
    [Test]
    public async Task An_undisturbed_session_of_any_number_of_keys_is_renewed_by_two_scripts_and_one_for_the_list()
    {
        var stack = new OurStack(kind);
        await using var app = await stack.StartAsync(options => options.IdleTimeout = TimeSpan.FromMilliseconds(1_200_001));
        await using var monitor = await CommandMonitor.StartAsync(await stack.ServerAsync());
        string value = new('x', 100); // no listpack
        for (int keys = 1; keys <= 600; keys += Tries.AreMany ? 1 : 37)
        {
            foreach (string? user in new[] { null, "ann" })
            {
                using var browser = app.NewBrowser();
                await browser.VisitAsync(session => { for (int i = 0; i < keys; i++) session.SetString($"key{i}", value); });
                var oldKey = stack.KeyOf(browser.SessionId);
                var seen = await monitor.CommandsDuringAsync(stack.KeyPrefix, () => browser.RenewAsync(user));
                await UntilSealedAsync(await stack.DatabaseAsync(), oldKey); // which is the third
                int sent = seen.Count(command => command is "EVALSHA" or "EVAL");
                int expected = user is null ? 2 : 3;
                Assert.That(sent, Is.InRange(expected, expected + 1), $"{keys} keys: {string.Join(' ', seen)}"); // with the seal
                Assert.That(await browser.VisitAsync(session => session.Keys.Count(key => session.GetStr(key) == value)), Is.EqualTo(keys));
            }
        }
    }

    private static Task UntilSealedAsync(IDatabase redis, RedisKey oldKey) => Until.TrueAsync(
        "it is sealed",
        async () => ((string?)await redis.HashGetAsync(oldKey, "@gen"))?.EndsWith(":0", StringComparison.Ordinal) == true);

    [TestCase(10, 1), TestCase(10, 1_000), TestCase(50, 50), TestCase(100, 100), TestCase(1, 520_000)]
    public async Task While_a_large_session_moves_bystanders_do_not_fail(int megabytes, int keys)
    {
        if (!Tries.AreMany && (megabytes, keys) is not (10, 1_000) and not (100, 100)) return; // the others take long
        foreach (bool inPortions in new[] { false, true })
        {
            await using var server = await ServerProcess.StartAsync(kind, "--client-output-buffer-limit", "normal 0 0 0");
            await using var app = await TestApp.StartAsync(server.ConfigurationString, options => options.ProtectValues = inPortions);
            var redis = await app.RedisAsync();
            using var browser = app.NewBrowser();
            byte[] value = new byte[Math.Max(1, megabytes * 1024 * 1024 / keys)];
            foreach (int[] some in Enumerable.Range(0, keys).Chunk(Math.Max(1, 4_000_000 / value.Length)))
                await browser.VisitAsync(context => context.Session.SetAsync(some.ToDictionary(i => $"key{i}", _ => value)));
            bool isOver = false;
            var longest = TimeSpan.Zero;
            int visits = 0;
            var bystanding = Task.Run(async () =>
            {
                using var bystander = app.NewBrowser();
                await bystander.VisitAsync(session => session.SetInt32("n", 1));
                while (!isOver)
                {
                    var clock = Stopwatch.StartNew();
                    await bystander.VisitAsync(session => session.SetInt32("n", session.GetInt("n") + 1)); // must succeed
                    if (clock.Elapsed > longest) longest = clock.Elapsed;
                    visits++;
                }
            });
            var renewing = Stopwatch.StartNew();
            await browser.RenewAsync("ann");
            renewing.Stop();
            isOver = true;
            await bystanding;
            TestContext.Out.WriteLine(
                $"{megabytes} MB, {keys} keys, {(inPortions ? "in portions" : "by Redis")}: {renewing.ElapsedMilliseconds} ms; "
                + $"the longest of {visits} bystanders {longest.TotalMilliseconds:0} ms");
            Assert.That(await redis.HashLengthAsync($"sessions:{browser.SessionId}"), Is.EqualTo(keys + 3), "@gen, @created and @user besides");
            Assert.That(app.Logs.All.Where(entry => entry.Error is not null), Is.Empty);
        }
    }
}
