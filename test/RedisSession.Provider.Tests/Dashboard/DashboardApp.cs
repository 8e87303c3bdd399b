using Microsoft.Extensions.Hosting;

namespace RedisSession.Provider.Tests;

/// <summary>Applications that have the sessions page, at <c>/sessions</c>.</summary>
internal static class DashboardApp
{
    /// <summary>Starts one at the shared server of this kind, or at <paramref name="server"/>.</summary>
    public static async Task<TestApp> StartAsync(
        ServerKind kind,
        string? keyPrefix = null,
        string environment = "Development",
        Action<IEndpointConventionBuilder>? protect = null,
        Action<IServiceCollection>? add = null,
        Action<IApplicationBuilder>? use = null,
        Action<RedisHashSessionOptions>? configure = null,
        string? server = null)
    {
        server ??= (await TestServers.GetAsync(kind)).ConfigurationString;
        return await TestApp.StartAsync(
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
                app.UseEndpoints(endpoints => (protect ?? (_ => { }))(endpoints.MapRedisSessions("/sessions")));
            });
    }
}
