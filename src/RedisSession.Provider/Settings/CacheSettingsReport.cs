using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider;

/// <summary>Like <see cref="SettingsReport"/>, for the cache.</summary>
internal sealed class CacheSettingsReport(IOptions<RedisHashCacheOptions> options, ILogger<CacheSettingsReport> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var (name, meant) in options.Value.Findings.NearMisses) logger.SettingNearlyOurs("AddRedisHashCache", name, meant);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
