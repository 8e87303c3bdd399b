using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider.Dashboard;

/// <summary>
/// Counts all sessions from time to time, and samples some of them. Only SCAN can count them, and it visits every key, so counting is
/// limited to at most one hundredth of the time, however many keys there are.
/// </summary>
internal sealed class SessionCounter(
    IRedisSessionDirectory directory,
    SessionCounts counts,
    IOptions<RedisSessionsDashboardOptions> options,
    TimeProvider time,
    ILogger<SessionCounter> logger) : BackgroundService
{
    private const int RestFor = 99;

    // SCAN returns sessions in no particular order, so a sample represents all of them.
    private const int SampleSize = 1000;

    // Well within what timers support.
    private static readonly TimeSpan LongestPause = TimeSpan.FromDays(1);

    private readonly TimeSpan _interval = options.Value.CountInterval;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_interval == Timeout.InfiniteTimeSpan) return;
        await Task.Yield(); // startup waits for what runs before this
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
                return; // the application is stopping; its shutdown must not be reported as failed because of this
            }

            // A requested count does not wait for the interval, but does wait for the rest.
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
