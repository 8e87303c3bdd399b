using Microsoft.Extensions.Hosting;

namespace RedisSession.Provider;

/// <summary>
/// Listens for expiries while the application runs, if it has a handler. Stops after everything else, including the web server, which some
/// hosts register before this service and would therefore stop after it: the events of the last requests are still delivered.
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
