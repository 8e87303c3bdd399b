using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

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

    /// <summary>Starts the application and gives what it says instead of starting; fails when it starts.</summary>
    public static async Task<string> RefusalAsync(Action<IServiceCollection> configure)
    {
        await using var app = Build(configure);
        try
        {
            await app.StartAsync();
        }
        catch (OptionsValidationException error)
        {
            return error.Message;
        }

        await app.StopAsync();
        throw new AssertionException("The application started.");
    }
}
