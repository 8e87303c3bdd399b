using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider.Dashboard;

/// <summary>
/// Counts all sessions now and then, and looks at some of them. Nobody but SCAN can tell how many there are, and it looks at every key: so
/// it is done at a pace that stays small whatever the number, at most one part in a hundred of the time.
/// </summary>
internal sealed class SessionCounter(
    IRedisSessionDirectory directory,
    SessionCounts counts,
    IOptions<RedisSessionsDashboardOptions> options,
    TimeProvider time,
    ILogger<SessionCounter> logger) : BackgroundService
{
    private const int RestFor = 99;

    // SCAN brings sessions in no order, so some of them are like all.
    private const int SampleSize = 1000;

    // What timers can do, and more.
    private static readonly TimeSpan LongestPause = TimeSpan.FromDays(1);

    private readonly TimeSpan _interval = options.Value.CountInterval;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_interval == Timeout.InfiniteTimeSpan) return;
        await Task.Yield(); // the application's start waits for what comes before
        bool failed = false;
        while (true)
        {
            long start = time.GetTimestamp();
            counts.Begin();
            try
            {
                long count = await directory.CountAsync(stoppingToken).ConfigureAwait(false);
                counts.Add(new(time.GetUtcNow(), count));
                var some = await directory.ListPageAsync(SampleSize, cancellationToken: stoppingToken).ConfigureAwait(false);
                counts.Sample = SeenSessions.Of(some.Sessions, isAll: some.Next is null, time.GetUtcNow());
                failed = false;
            }
            catch (Exception error) when (!stoppingToken.IsCancellationRequested)
            {
                if (!failed) logger.CountingFailed(_interval, error);
                failed = true;
            }
            catch (Exception)
            {
                return; // it ends with the application, and must not be what the application's end is said to have failed of
            }

            // Who asks does not wait for the interval, but for the rest.
            var walk = time.GetElapsedTime(start);
            var rest = PauseAfter(walk, SessionCounts.Fresh);
            await Task.Delay(rest, time, stoppingToken).ConfigureAwait(false);
            if (PauseAfter(walk, _interval) - rest is var more && more <= TimeSpan.Zero) continue;
            await counts.Asked.WaitAsync(more, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            stoppingToken.ThrowIfCancellationRequested();
        }
    }

    internal static TimeSpan PauseAfter(TimeSpan walk, TimeSpan interval)
    {
        var rest = walk * RestFor;
        var pause = rest > interval ? rest : interval;
        return pause < LongestPause ? pause : LongestPause;
    }
}
