using Microsoft.Extensions.Hosting;

namespace RedisSession.Provider;

/// <summary>
/// Connects when the application starts, so that no request pays for it: connecting needs pool threads, and a first burst of requests that
/// read synchronously would take them all. An application whose Redis is unavailable still starts, a moment later, and recovers with it.
/// </summary>
internal sealed class RedisConnectionOpener(RedisConnection connection) : IHostedService
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public Task StartAsync(CancellationToken cancellationToken) => OpenAsync(connection, cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public static async Task OpenAsync(RedisConnection connection, CancellationToken cancellationToken)
    {
        // A failure is logged where it happens, and the first request tries again.
        Task opening = connection.GetDatabaseAsync().AsTask();
        await opening.WaitAsync(Patience, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ = opening.Observed();
    }
}
