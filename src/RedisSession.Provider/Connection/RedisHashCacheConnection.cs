using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider;

/// <summary>
/// The connection of the cache: one that its options name, else that of the sessions where there are any, else the application's. Opened
/// when the application starts, as that of the sessions is, and closed here only when it was opened here.
/// </summary>
internal sealed class RedisHashCacheConnection : IHostedService, IDisposable, IAsyncDisposable
{
    private readonly RedisConnection? _own;

    public RedisHashCacheConnection(
        IOptions<RedisHashCacheOptions> options, IServiceProvider services, ILogger<RedisConnection> logger)
    {
        var settings = RedisConnectionSettings.Of(options.Value);
        var sessions = settings.NamesOne ? null : services.GetService<RedisConnection>();
        if (sessions is null) _own = new(settings, services, logger);
        Connection = sessions ?? _own!;
    }

    public RedisConnection Connection { get; }

    public Task StartAsync(CancellationToken cancellationToken) => RedisConnectionOpener.OpenAsync(Connection, cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _own?.Dispose();

    public ValueTask DisposeAsync() => _own?.DisposeAsync() ?? ValueTask.CompletedTask;
}
