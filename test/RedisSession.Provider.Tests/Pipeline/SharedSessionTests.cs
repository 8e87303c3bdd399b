using System.Collections.Concurrent;

namespace RedisSession.Provider.Tests;

/// <summary>Several tasks of one request use its session at once; each has keys of its own, and knows what they must hold.</summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.All))]
internal sealed class SharedSessionTests(ServerKind kind, Pipeline pipeline) : BothModesFixture(kind, pipeline)
{
    private const int Tasks = 6;

    private static readonly TimeSpan NoDeadlock = TimeSpan.FromSeconds(60);

    protected override void Configure(RedisHashSessionOptions options) => options.FailureMode = FailureMode.Throw;

    [Test]
    public async Task Each_reads_what_it_has_written_and_the_next_request_all_of_it([Values] RedisSessionMode mode, [Values] bool isNew)
    {
        for (int round = 0; round < 15; round++)
        {
            using var browser = Apps[mode].NewBrowser();
            if (!isNew) await browser.SetStringAsync("start", "1");
            var owners = Enumerable.Range(0, Tasks).Select(task => new Owner(task, new Random((round * Tasks) + task))).ToArray();
            await browser.VisitAsync(context =>
            {
                context.Session.SetString("shared", "1");
                return Task.WhenAll(owners.Select(owner => Task.Run(() => owner.WorkAsync(context.Session)))).WaitAsync(NoDeadlock);
            });
            await browser.VisitAsync(session =>
            {
                foreach (var (key, value) in owners.SelectMany(owner => owner.Expected))
                    Assert.That(session.GetInt32(key), Is.EqualTo(value), $"{key} in round {round}");
            });
        }
    }

    // The snapshot is replaced, and writes are confirmed, between the question for the keys and its answer.
    [Test]
    public async Task Keys_never_misses_a_key_that_its_own_task_has_set([Values] RedisSessionMode mode)
    {
        using var browser = await NewVisitorAsync(mode, "start");
        var missed = new ConcurrentQueue<string>();
        for (int round = 0; round < 10; round++)
        {
            await browser.VisitAsync(async context =>
            {
                var session = context.Session;
                using var done = new CancellationTokenSource();
                var others = Task.WhenAll(Repeat(() => session.ReloadAsync()), Repeat(() => session.CommitAsync()));
                await Task.WhenAll(Enumerable.Range(0, Tasks).Select(task => Task.Run(() =>
                {
                    for (int i = 0; i < 40; i++)
                    {
                        string key = $"{round}:{task}:{i}";
                        session.SetInt32(key, i);
                        if (!session.Keys.Contains(key)) missed.Enqueue(key);
                        session.Remove(key);
                        if (session.Keys.Contains(key)) missed.Enqueue($"{key} removed");
                    }
                }))).WaitAsync(NoDeadlock);
                await done.CancelAsync();
                await others;

                Task Repeat(Func<Task> work) => Task.Run(async () =>
                {
                    while (!done.IsCancellationRequested) await work();
                });
            });
        }

        Assert.That(missed, Is.Empty);
    }

    /// <summary>One of the tasks: a random sequence of everything, on keys that are its own.</summary>
    private sealed class Owner(int task, Random random)
    {
        /// <summary>What its keys hold in the end; null where one was removed.</summary>
        public Dictionary<string, int?> Expected { get; } = [];

        public async Task WorkAsync(ISession session)
        {
            for (int step = 0; step < 40; step++)
            {
                string key = $"task{task}:{random.Next(3)}";
                int? expected = Expected.GetValueOrDefault(key);
                switch (random.Next(11))
                {
                    case 0 or 1: session.SetInt32(key, step); Expected[key] = step; break;
                    case 2: await session.SetAsync(key, [0, 0, 0, (byte)step]); Expected[key] = step; break;
                    case 3: session.Remove(key); Expected[key] = null; break;
                    case 4: await session.RemoveAsync(key); Expected[key] = null; break;
                    case 5: await session.CommitAsync(); break;
                    case 6: await (random.Next(3) == 0 ? session.ReloadAsync() : session.LoadAsync()); break;
                    case 7: Require((await session.ReadAsync([key, "shared"]))[0].None == expected is null, "several"); break;
                    case 8: Require(session.Keys.Contains(key) == expected.HasValue, "keys"); break;
                    case 9: Require((await session.GetRawAsync(key))?[3] == expected, "live read"); break;
                    default: Require(session.GetInt32(key) == expected, "read"); break;
                }

                void Require(bool agrees, string what)
                {
                    if (!agrees) throw new InvalidOperationException($"{what} of {key}, step {step}: it was not '{expected}'.");
                }
            }
        }
    }
}
