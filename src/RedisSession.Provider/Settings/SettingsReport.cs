using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider;

/// <summary>Says at the start what settings mean that nobody may expect, and which names are perhaps mistyped.</summary>
internal sealed class SettingsReport(IOptions<RedisHashSessionOptions> options, ILogger<SettingsReport> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        var findings = options.Value.Findings;
        bool isSecure = options.Value.Cookie.SecurePolicy == CookieSecurePolicy.Always; // unless code has said otherwise since
        if (findings.IsSecureAsInSeed && isSecure) logger.SecureAsInSeed();
        foreach (var (name, meant) in findings.NearMisses) logger.SettingNearlyOurs("AddRedisHashSession", name, meant);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
