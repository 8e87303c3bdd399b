using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>Logs why Redis refuses a reconnection, once per outage and server.</summary>
internal sealed class RefusalWatch : IDisposable
{
    // Most outages are over by then.
    private static readonly TimeSpan FirstLook = TimeSpan.FromSeconds(1);

    // A node that is gone for good is still checked now and then.
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    private readonly IConnectionMultiplexer _multiplexer;
    private readonly ConfigurationOptions _configuration;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _ended = new();
    private readonly ConcurrentDictionary<EndPoint, bool> _watched = new();

    public RefusalWatch(IConnectionMultiplexer multiplexer, ConfigurationOptions configuration, ILogger logger)
    {
        (_multiplexer, _configuration, _logger) = (multiplexer, configuration, logger);
        multiplexer.ConnectionFailed += Failed;
        foreach (var server in multiplexer.GetServers().Where(server => !server.IsConnected)) Watch(server.EndPoint);
    }

    public void Dispose()
    {
        _multiplexer.ConnectionFailed -= Failed;
        _ended.Cancel(); // and not disposed of: who still looks has its token
    }

    private void Failed(object? multiplexer, ConnectionFailedEventArgs failure)
    {
        if (failure is { ConnectionType: ConnectionType.Interactive, EndPoint: { } server }) Watch(server);
    }

    private void Watch(EndPoint server)
    {
        if (_watched.TryAdd(server, true)) _ = WatchAsync(server).Observed();
    }

    private async Task WatchAsync(EndPoint server)
    {
        try
        {
            for (var pause = FirstLook; ; pause = pause < LongestPause ? 2 * pause : LongestPause)
            {
                await Task.Delay(pause, _ended.Token).ConfigureAwait(false);
                if (IsConnected(server)) return;
                if (await RefusalProbe.FindAsync(_configuration, server, _ended.Token).ConfigureAwait(false) is not { } refusal) continue;
                _logger.ConnectionRefused(refusal.Reason, refusal.Error);
                return;
            }
        }
        finally
        {
            _watched.TryRemove(server, out _);
        }
    }

    private bool IsConnected(EndPoint server) =>
        _multiplexer.GetServers().FirstOrDefault(known => known.EndPoint.Equals(server)) is not { IsConnected: false };
}
