using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace RedisSession.Provider.Tests;

/// <summary>Applications that have the sessions page, at <c>/sessions</c>.</summary>
internal static class DashboardApp
{
    public static async Task<TestApp> StartAsync(
        ServerKind kind,
        string? keyPrefix = null,
        string environment = "Development",
        Action<IEndpointConventionBuilder>? protect = null,
        Action<IServiceCollection>? add = null,
        Action<IApplicationBuilder>? use = null,
        Action<RedisHashSessionOptions>? configure = null)
    {
        var server = await TestServers.GetAsync(kind);
        return await StartAtAsync(server.ConfigurationString, keyPrefix, environment, protect, add, use, configure);
    }

    public static Task<TestApp> StartAtAsync(
        string server,
        string? keyPrefix = null,
        string environment = "Development",
        Action<IEndpointConventionBuilder>? protect = null,
        Action<IServiceCollection>? add = null,
        Action<IApplicationBuilder>? use = null,
        Action<RedisHashSessionOptions>? configure = null) => TestApp.StartAsync(
            services =>
            {
                services.AddRedisHashSession(options =>
                {
                    (options.Configuration, options.KeyPrefix) = (server, keyPrefix ?? SessionStack.NewKeyPrefix());
                    configure?.Invoke(options);
                });
                services.AddRedisSessionsDashboard(options => options.CountInterval = Timeout.InfiniteTimeSpan);
                add?.Invoke(services);
            },
            app =>
            {
                app.ApplicationServices.GetRequiredService<IHostEnvironment>().EnvironmentName = environment;
                app.UseRouting();
                use?.Invoke(app);
                app.UseSession();
                app.UseEndpoints(endpoints =>
                {
                    var page = endpoints.MapRedisSessions("/sessions");
                    protect?.Invoke(page);
                });
            });
}
