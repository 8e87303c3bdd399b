using System.Collections.Concurrent;
using System.Diagnostics;

namespace RedisSession.Provider.Tests;

/// <summary>
/// Visitors who write a counter of their own into their sessions and wait for each write to be confirmed, while a test breaks things
/// under them. Each value says whose it is, so that a session that gets another's data is noticed.
/// </summary>
internal sealed class CounterLoad : IAsyncDisposable
{
    /// <summary>How many there are.</summary>
    public const int Visitors = 6;

    private readonly CancellationTokenSource _end = new();
    private readonly Visitor[] _visitors;
    private readonly Task _running;

    private CounterLoad(IEnumerable<Browser> browsers, Way way)
    {
        _visitors = [.. browsers.Select((browser, i) => new Visitor($"visitor{i}", browser, way))];
        _running = Task.WhenAll(_visitors.Select(visitor => Task.Run(() => visitor.WriteUntilAsync(_end.Token))));
    }

    /// <summary>What went wrong in a way that is not an outage.</summary>
    public IEnumerable<string> Faults => _visitors.SelectMany(visitor => visitor.Faults);

    public int Confirmed => _visitors.Sum(visitor => visitor.Confirmed.Count);

    public int Failed => _visitors.Sum(visitor => visitor.Failed);

    /// <summary>The longest that a request has taken.</summary>
    public TimeSpan Slowest => _visitors.Max(visitor => visitor.Slowest);

    public static CounterLoad Start(TestApp app, Way way = Way.Asynchronous) =>
        Start(Enumerable.Range(0, Visitors).Select(_ => app.NewBrowser()), way);

    /// <summary>One visitor for each of the browsers.</summary>
    public static CounterLoad Start(IEnumerable<Browser> browsers, Way way) => new(browsers, way);

    /// <summary>Returns when every visitor has had so many writes confirmed from now on.</summary>
    public Task UntilServedAsync(int writes = 2)
    {
        var now = DateTime.UtcNow;
        return Assert.ThatAsync(
            () => Task.FromResult(_visitors.All(visitor => visitor.Confirmed.Count(write => write.Begun > now) >= writes)),
            Is.True.After(30_000, 5));
    }

    /// <summary>Returns when so many writes have failed.</summary>
    public Task UntilFailedAsync(int writes) => Assert.ThatAsync(() => Task.FromResult(Failed), Is.GreaterThanOrEqualTo(writes).After(10_000, 5));

    /// <summary>Ends the load and compares what each session holds with what was confirmed to its visitor.</summary>
    /// <returns>The confirmed writes that are not there.</returns>
    public async Task<IReadOnlyList<ConfirmedWrite>> StopAndFindLostAsync()
    {
        await _end.CancelAsync();
        await _running;
        var lost = new List<ConfirmedWrite>();
        foreach (var visitor in _visitors) lost.AddRange(await visitor.FindLostAsync());
        return lost;
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _running;
        foreach (var visitor in _visitors) visitor.Dispose();
        _end.Dispose();
    }

    /// <summary>How a visitor reads and writes, and how it learns that its write is confirmed.</summary>
    public enum Way
    {
        /// <summary>By <c>GetStrAsync</c>, and by <c>CommitAsync</c>.</summary>
        Asynchronous,

        /// <summary>By the synchronous API, and by <c>CommitAsync</c>.</summary>
        Synchronous,

        /// <summary>By the synchronous API alone: by the status of the response, where the failure mode is <c>Throw</c>.</summary>
        ByStatus,

        /// <summary>
        /// By turns by both, with a key for each write, so that one that was lost shows after others too, and by the status of the response.
        /// Writes may be lost here, but never a session that was begun before.
        /// </summary>
        KeyForEach,
    }

    private sealed class Visitor(string name, Browser browser, Way way) : IDisposable
    {
        private const string Counter = "counter";
        private const string Write = "write-";

        private int _attempted;
        private int _lastConfirmed;

        public ConcurrentQueue<string> Faults { get; } = [];

        public ConcurrentQueue<ConfirmedWrite> Confirmed { get; } = [];

        public int Failed { get; private set; }

        public TimeSpan Slowest { get; private set; }

        public async Task WriteUntilAsync(CancellationToken end)
        {
            while (!end.IsCancellationRequested)
            {
                int n = ++_attempted;
                bool failed = false;
                var begun = DateTime.UtcNow;
                var clock = Stopwatch.StartNew();
                using var response = await browser.SendAsync(async context =>
                {
                    try
                    {
                        await WriteAsync(context.Session, n);
                    }
                    catch (Exception error)
                    {
                        failed = true;
                        if (!IsOutage(error)) Faults.Enqueue($"{name}: {error}");
                    }
                });
                if (clock.Elapsed > Slowest) Slowest = clock.Elapsed;
                if (response.StatusCode != HttpStatusCode.OK)
                {
                    if (way is not Way.KeyForEach && (failed || way != Way.ByStatus)) Faults.Enqueue($"{name}: {response.StatusCode}");
                    failed = true;
                }

                if (failed)
                {
                    Failed++;
                    await Task.Delay(10, CancellationToken.None); // failures are quick: leave the machine to the servers
                    continue;
                }

                _lastConfirmed = n;
                Confirmed.Enqueue(new(name, n, begun, DateTime.UtcNow));
            }
        }

        private async Task WriteAsync(ISession session, int n)
        {
            if (way == Way.KeyForEach)
            {
                await WriteWithKeyAsync(session, n);
                return;
            }

            string seen = way == Way.Asynchronous ? await session.GetStrAsync(Counter) : session.GetStr(Counter);
            if (seen.Length > 0 || session.IsAvailable) Check(seen);
            session.SetString(Counter, $"{name}:{n}");
            if (way != Way.ByStatus) await session.CommitAsync();
        }

        private async Task WriteWithKeyAsync(ISession session, int n)
        {
            var seen = await session.ReadAsync(["key", Counter]);
            if (seen["key"].None) Faults.Enqueue($"{name} does not see the session that it has begun");
            Check(seen[Counter].Str);
            byte[] counter = Encoding.UTF8.GetBytes($"{name}:{n}");
            var changes = new Dictionary<string, byte[]> { [Write + n] = [], [Counter] = counter };
            if (IsOneChange(n)) await session.SetAsync(changes);
            else foreach (var (key, value) in changes) session.Set(key, value);
        }

        // The synchronous API makes two changes of it in live mode.
        private static bool IsOneChange(int n) => n % 2 == 0;

        private void Check(string seen)
        {
            if (seen.Length > 0 && !seen.StartsWith(name + ":", StringComparison.Ordinal)) Faults.Enqueue($"{name} saw {seen}");
            else if (NumberIn(seen) > _attempted) Faults.Enqueue($"{name} saw '{seen}', which it never wrote");
            else if (NumberIn(seen) < _lastConfirmed && way != Way.KeyForEach)
                Faults.Enqueue($"{name} saw '{seen}' after {_lastConfirmed} was confirmed");
        }

        private static int NumberIn(string counter) => counter.Length == 0 ? 0 : int.Parse(counter.Split(':', '-')[1], CultureInfo.InvariantCulture);

        // Or the server has forgotten the session.
        private static bool IsOutage(Exception error) =>
            error is RedisException or OperationCanceledException or TimeoutException or SessionEndedException;

        public async Task<IEnumerable<ConfirmedWrite>> FindLostAsync()
        {
            var (counter, keys) = ("", (HashSet<string>?)null);
            await Until.TrueAsync("the session is read", async () =>
            {
                // Of a server that is there again, or of a loaded machine, which may be slower than the IOTimeout of a test.
                using var response = await browser.SendAsync(async context =>
                {
                    await context.Session.LoadAsync();
                    (counter, keys) = (context.Session.GetStr(Counter), context.Session.Keys.ToHashSet());
                });
                return keys is not null;
            });
            Check(counter);
            int stored = NumberIn(counter);
            if (way != Way.KeyForEach) return Confirmed.Where(write => write.Number > stored).Select(write => write with { Stored = stored });

            if (stored > 0 && IsOneChange(stored) && !keys!.Contains(Write + stored))
                Faults.Enqueue($"{name} has the counter {counter} without what was written with it");
            foreach (string key in keys!.Where(key => key.StartsWith(Write, StringComparison.Ordinal) && NumberIn(key) > _attempted))
                Faults.Enqueue($"{name} has {key} and never wrote it");
            return Confirmed.Where(write => !keys!.Contains(Write + write.Number));
        }

        public void Dispose() => browser.Dispose();
    }
}

/// <summary>A write whose request was answered with success.</summary>
internal sealed record ConfirmedWrite(string Visitor, int Number, DateTime Begun, DateTime Ended)
{
    /// <summary>What the visitor's counter says instead, if the write is lost.</summary>
    public int? Stored { get; init; }
}
