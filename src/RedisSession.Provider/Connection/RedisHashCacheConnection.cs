using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider;

/// <summary>
/// The cache's connection: the one its options specify, else that of the sessions if there are any, else the application's. Opened when the
/// application starts, like that of the sessions, and closed here only if it was opened here.
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
