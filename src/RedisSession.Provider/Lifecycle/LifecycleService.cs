using Microsoft.Extensions.Hosting;

namespace RedisSession.Provider;

/// <summary>
/// Listens for expiries while the application runs, if it has a handler. Ends after everything else has stopped, the web server too, which
/// in some hosts is registered before this and would stop after it: what the last requests did is told.
/// </summary>
internal sealed class LifecycleService(LifecycleQueue queue, ExpiryListener listener) : IHostedLifecycleService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (queue.HasHandlers) listener.Start();
        return Task.CompletedTask;
    }

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        if (!queue.HasHandlers) return;
        await listener.StopAsync(cancellationToken).ConfigureAwait(false);
        await queue.CompleteAsync(cancellationToken).ConfigureAwait(false);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
