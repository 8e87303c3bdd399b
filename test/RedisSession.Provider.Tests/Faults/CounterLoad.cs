using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Http;
using StackExchange.Redis;

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

    private CounterLoad(TestApp app, Way way)
    {
        _visitors = [.. Enumerable.Range(0, Visitors).Select(i => new Visitor($"visitor{i}", app.NewBrowser(), way))];
        _running = Task.WhenAll(_visitors.Select(visitor => Task.Run(() => visitor.WriteUntilAsync(_end.Token))));
    }

    /// <summary>What went wrong in a way that is not an outage.</summary>
    public IEnumerable<string> Faults => _visitors.SelectMany(visitor => visitor.Faults);

    public int Confirmed => _visitors.Sum(visitor => visitor.Confirmed);

    public int Failed => _visitors.Sum(visitor => visitor.Failed);

    /// <summary>The longest that a request has taken.</summary>
    public TimeSpan Slowest => _visitors.Max(visitor => visitor.Slowest);

    public static CounterLoad Start(TestApp app, Way way = Way.Asynchronous) => new(app, way);

    /// <summary>Returns when every visitor has had a write confirmed from now on.</summary>
    public async Task UntilServedAsync()
    {
        int[] before = [.. _visitors.Select(visitor => visitor.Confirmed)];
        await Assert.ThatAsync(
            () => Task.FromResult(_visitors.Zip(before).All(pair => pair.First.Confirmed > pair.Second + 1)), Is.True.After(30_000, 5));
    }

    /// <summary>Ends the load and compares what each session holds with what was confirmed to its visitor.</summary>
    /// <returns>How many confirmed writes are not there.</returns>
    public async Task<int> StopAndCountLostAsync()
    {
        await _end.CancelAsync();
        await _running;
        int lost = 0;
        foreach (var visitor in _visitors) lost += await visitor.CountLostAsync();
        return lost;
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _running;
        foreach (var visitor in _visitors) visitor.Dispose();
        _end.Dispose();
    }

    /// <summary>How a visitor reads, and how it learns that its write is confirmed.</summary>
    public enum Way
    {
        /// <summary>By <c>GetStrAsync</c>, and by <c>CommitAsync</c>.</summary>
        Asynchronous,

        /// <summary>By the synchronous API, and by <c>CommitAsync</c>.</summary>
        Synchronous,

        /// <summary>By the synchronous API alone: by the status of the response, where the failure mode is <c>Throw</c>.</summary>
        ByStatus,
    }

    private sealed class Visitor(string name, Browser browser, Way way) : IDisposable
    {
        private int _attempted;
        private int _lastConfirmed;

        public ConcurrentQueue<string> Faults { get; } = [];

        public int Confirmed { get; private set; }

        public int Failed { get; private set; }

        public TimeSpan Slowest { get; private set; }

        public async Task WriteUntilAsync(CancellationToken end)
        {
            while (!end.IsCancellationRequested)
            {
                int n = ++_attempted;
                bool failed = false;
                var clock = Stopwatch.StartNew();
                using var response = await browser.SendAsync(async context =>
                {
                    try
                    {
                        var session = context.Session;
                        string seen = way == Way.Asynchronous ? await session.GetStrAsync("counter") : session.GetStr("counter");
                        if (seen.Length > 0 || session.IsAvailable) Check(seen);
                        session.SetString("counter", $"{name}:{n}");
                        if (way != Way.ByStatus) await session.CommitAsync();
                    }
                    catch (Exception error) when (IsOutage(error))
                    {
                        failed = true;
                    }
                    catch (Exception error)
                    {
                        failed = true;
                        Faults.Enqueue($"{name}: {error}");
                    }
                });
                if (clock.Elapsed > Slowest) Slowest = clock.Elapsed;
                if (response.StatusCode != HttpStatusCode.OK)
                {
                    if (failed || way != Way.ByStatus) Faults.Enqueue($"{name}: {response.StatusCode}");
                    failed = true;
                }

                if (failed)
                {
                    Failed++;
                    await Task.Delay(10, CancellationToken.None);
                    continue;
                }

                _lastConfirmed = n;
                Confirmed++;
            }
        }

        private void Check(string seen)
        {
            if (seen.Length > 0 && !seen.StartsWith(name + ":", StringComparison.Ordinal)) Faults.Enqueue($"{name} saw {seen}");
            else if (NumberIn(seen) < _lastConfirmed) Faults.Enqueue($"{name} saw '{seen}' after {_lastConfirmed} was confirmed");
        }

        private static int NumberIn(string counter) =>
            counter.Length == 0 ? 0 : int.Parse(counter.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture);

        // Or the server has forgotten the session.
        private static bool IsOutage(Exception error) =>
            error is RedisException or OperationCanceledException or TimeoutException or SessionEndedException;

        public async Task<int> CountLostAsync()
        {
            string? held = null;
            await Until.TrueAsync("the counter is read", async () =>
            {
                // Of a server that is there again, or of a loaded machine, which may be slower than the IOTimeout of a test.
                using var response = await browser.SendAsync(async context => held = await context.Session.GetStrAsync("counter"));
                return held is not null;
            });
            Check(held!);
            int stored = NumberIn(held!);
            if (stored > _attempted) Faults.Enqueue($"{name} holds {stored}, which it never wrote");
            return Math.Max(0, _lastConfirmed - stored);
        }

        public void Dispose() => browser.Dispose();
    }
}
