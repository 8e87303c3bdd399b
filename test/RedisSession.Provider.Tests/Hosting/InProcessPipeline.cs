using Microsoft.AspNetCore.DataProtection;

namespace RedisSession.Provider.Tests;

/// <summary>The stock session middleware and a session provider without a web server in front: for many requests in a short time.</summary>
internal sealed class InProcessPipeline : IAsyncDisposable
{
    private static readonly EphemeralDataProtectionProvider DataProtection = new EphemeralDataProtectionProvider();

    private readonly ServiceProvider _services;
    private readonly RequestDelegate _pipeline;
    private readonly AsyncLocal<Func<ISession, Task>> _work = new();

    public InProcessPipeline(Action<IServiceCollection> addSession)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Debug).AddProvider(Logs));
        services.AddSingleton<IDataProtectionProvider>(DataProtection);
        services.AddHttpContextAccessor();
        addSession(services);
        _services = services.BuildServiceProvider();
        var app = new ApplicationBuilder(_services);
        app.UseSession();
        app.Run(context => _work.Value!(context.Session));
        _pipeline = app.Build();
    }

    public RecordedLogs Logs { get; } = new();

    /// <summary>The cookie of a session, as the middleware writes it.</summary>
    public static string CookieOf(string sessionKey) =>
        Convert.ToBase64String(DataProtection.CreateProtector("SessionMiddleware").Protect(Encoding.UTF8.GetBytes(sessionKey))).TrimEnd('=');

    /// <summary>One request; returns what came out of the pipeline, or null.</summary>
    public async Task<Exception?> RunAsync(string cookie, Func<ISession, Task> work)
    {
        using var scope = _services.CreateScope();
        var context = new DefaultHttpContext { RequestServices = scope.ServiceProvider };
        _services.GetRequiredService<IHttpContextAccessor>().HttpContext = context;
        context.Request.Headers.Cookie = $".AspNetCore.Session={cookie}";
        _work.Value = work;
        try
        {
            await _pipeline(context);
            return null;
        }
        catch (Exception error)
        {
            return error;
        }
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
