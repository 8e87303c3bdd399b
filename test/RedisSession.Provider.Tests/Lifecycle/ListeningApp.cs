namespace RedisSession.Provider.Tests;

/// <summary>Applications with a handler, on a server of the test's own.</summary>
internal static class ListeningApp
{
    public static Task<TestApp> StartAsync(
        string configuration, ISessionLifecycle handler, Action<RedisHashSessionOptions>? configure = null, TimeProvider? time = null) =>
        TestApp.StartAsync(services =>
        {
            if (time is not null) services.AddSingleton(time);
            services.AddSingleton(handler).AddRedisHashSession(options =>
            {
                options.Configuration = configuration;
                configure?.Invoke(options);
            });
        });

    /// <summary>Returns when it hears of expiries.</summary>
    public static async Task<TestApp> WhenListeningAsync(this Task<TestApp> starting)
    {
        var app = await starting;
        try
        {
            await Until.TrueAsync("the application listens", () => ListenerOf(app).Listens);
        }
        catch (TimeoutException error)
        {
            throw new InvalidOperationException(string.Join('\n', app.Logs.All.Where(entry => entry.Level >= LogLevel.Warning)), error);
        }

        return app;
    }

    public static ExpiryListener ListenerOf(TestApp app) => app.Services.GetRequiredService<ExpiryListener>();

    /// <summary>A server that reports expiries.</summary>
    public static Task<ServerProcess> StartServerAsync(ServerKind kind) => ServerProcess.StartAsync(kind, "--notify-keyspace-events", "Ex");
}
