using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using NUnit.Framework.Constraints;

namespace RedisSession.Provider.Tests;

/// <summary>A real application that listens nowhere and reads nothing of this machine's settings.</summary>
internal static class Application
{
    public static WebApplication Build(Action<IServiceCollection> configure)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseTestServer();
        builder.Services.AddRouting();
        configure(builder.Services);
        var app = builder.Build();
        app.UseSession();
        return app;
    }

    /// <summary>Starts the application, runs <paramref name="whileItRuns"/> and stops it; returns what it has logged.</summary>
    public static async Task<RecordedLogs> RunAsync(Action<IServiceCollection> configure, Func<IServiceProvider, Task>? whileItRuns = null)
    {
        var logs = new RecordedLogs();
        await using var app = Build(services => configure(services.AddLogging(logging => logging.AddProvider(logs))));
        await app.StartAsync();
        if (whileItRuns is not null) await whileItRuns(app.Services);
        await app.StopAsync();
        return logs;
    }

    /// <summary>Starts the application and gives what it says instead of starting; fails when it starts.</summary>
    public static async Task<string> RefusalAsync(Action<IServiceCollection> configure)
    {
        await using var app = Build(configure);
        return (await Assert.ThrowsAsync<OptionsValidationException>(() => app.StartAsync()))!.Message;
    }

    /// <summary>The same of an application whose sessions are configured by <paramref name="configuration"/> alone.</summary>
    public static Task<string> RefusalAsync(IConfiguration configuration) =>
        RefusalAsync(services => services.AddRedisHashSession(configuration));

    /// <summary>The application does not start, and <paramref name="says"/> why.</summary>
    public static async Task RefusesAsync(Action<IServiceCollection> configure, IResolveConstraint says) =>
        Assert.That(await RefusalAsync(configure), says);
}
