using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace RedisSession.Provider.Tests;

/// <summary>Whatever a server can and cannot do: without ACLs nothing is wrong with it.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class HealthyServerTests(ServerKind kind)
{
    [Test]
    public async Task Any_server_is_healthy_with_and_without_ProtectValues([Values] bool isEncrypted)
    {
        var server = await TestServers.GetAsync(kind);
        await using var app = await TestApp.StartAsync(services =>
        {
            services.AddRedisHashSession(options => (options.Configuration, options.KeyPrefix, options.ProtectValues) =
                (server.ConfigurationString, SessionStack.NewKeyPrefix(), isEncrypted));
            services.AddHealthChecks().AddRedisHashSession();
        });
        var health = await app.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        Assert.That(health.Status, Is.EqualTo(HealthStatus.Healthy), health.Entries.Single().Value.Description);
    }
}
