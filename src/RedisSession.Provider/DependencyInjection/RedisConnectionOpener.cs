using Microsoft.Extensions.Hosting;

namespace RedisSession.Provider;

/// <summary>
/// Begins to connect when the application starts, so that no request pays for it. The start does not wait: an application whose Redis is
/// away comes up all the same, and recovers with it.
/// </summary>
internal sealed class RedisConnectionOpener(RedisConnection connection) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        // On the pool: an application's own factory or service may connect synchronously.
        _ = Task.Run(
            async () =>
            {
                try
                {
                    await connection.GetDatabaseAsync().ConfigureAwait(false);
                }
                catch (Exception)
                {
                    // Logged where it happened; the first request tries again.
                }
            },
            CancellationToken.None);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
