using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace RedisSession.Provider.Tests;

internal sealed class HealthCheckRegistrationTests
{
    [Test]
    public async Task The_embedded_server_is_healthy()
    {
        var server = await TestServers.GetAsync(ServerKind.Garnet);
        await using var app = await TestApp.StartAsync(services =>
            services.AddRedisHashSession(server.ConfigurationString).AddHealthChecks().AddRedisHashSession());
        var report = await app.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        Assert.That(report.Entries["redis-session"].Description, Is.EqualTo("Redis answers and runs scripts."));
    }

    [Test]
    public void Without_sessions_the_check_says_what_to_call()
    {
        using var services = new ServiceCollection().AddLogging().AddHealthChecks().AddRedisHashSession().Services.BuildServiceProvider();
        Assert.That(
            async () => await services.GetRequiredService<HealthCheckService>().CheckHealthAsync(),
            Throws.InvalidOperationException.With.Message.Contains("call it on the service collection"));
    }

    [Test]
    public void The_builder_is_returned_for_the_next_call()
    {
        var checks = new ServiceCollection().AddHealthChecks();
        Assert.That(checks.AddRedisHashSession(), Is.SameAs(checks));
    }

    [Test]
    public void Null_and_empty_arguments_are_named()
    {
        Assert.That(() => ((IHealthChecksBuilder)null!).AddRedisHashSession(), ThrowsNull.Of("builder"));
        Assert.That(() => new ServiceCollection().AddHealthChecks().AddRedisHashSession(name: null!), ThrowsNull.Of("name"));
        Assert.That(() => new ServiceCollection().AddHealthChecks().AddRedisHashSession(name: ""), Throws.ArgumentException);
    }
}
