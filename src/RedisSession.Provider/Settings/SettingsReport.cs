using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider;

/// <summary>Logs at startup which settings have an unexpected effect, and which names may be mistyped.</summary>
internal sealed class SettingsReport(IOptions<RedisHashSessionOptions> options, ILogger<SettingsReport> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        var findings = options.Value.Findings;
        bool isSecure = options.Value.Cookie.SecurePolicy == CookieSecurePolicy.Always; // unless code has changed it since
        if (findings.IsSecureAsInSeed && isSecure) logger.SecureAsInSeed();
        foreach (var (name, meant) in findings.NearMisses) logger.SettingNearlyOurs("AddRedisHashSession", name, meant);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
