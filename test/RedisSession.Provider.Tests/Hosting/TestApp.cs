using System.Collections.Concurrent;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Hosting;

namespace RedisSession.Provider.Tests;

/// <summary>
/// A real application on a real port: Kestrel, the stock session middleware, and a session provider. What its requests do
/// is said by each test: see <see cref="Browser"/>.
/// </summary>
internal sealed class TestApp : IAsyncDisposable
{
    private const string WorkHeader = "X-Work";

    // One key ring for all, so that instances accept each other's cookies, as those of one application do.
    private static readonly EphemeralDataProtectionProvider DataProtection = new();

    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, Func<HttpContext, Task>> _work = new();

    private TestApp(WebApplication app) => _app = app;

    public required RecordedLogs Logs { get; init; }

    public IServiceProvider Services => _app.Services;

    public IRedisSessionDirectory Directory => Services.GetRequiredService<IRedisSessionDirectory>();

    public Uri Address => new(_app.Urls.First());

    /// <summary>
    /// Starts an application with the session that <paramref name="addSession"/> registers and <paramref name="use"/> puts into the
    /// pipeline.
    /// </summary>
    public static async Task<TestApp> StartAsync(Action<IServiceCollection> addSession, Action<IApplicationBuilder>? use = null)
    {
        // Not watching files for changes: a user may only watch so many, and tests run many applications at once.
        var builder = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<IDataProtectionProvider>(DataProtection);
        addSession(builder.Services);
        builder.Logging.ClearProviders();
        builder.Logging.SetMinimumLevel(LogLevel.Debug);

        var logs = new RecordedLogs();
        builder.Logging.AddProvider(logs);
        var app = builder.Build();
        var test = new TestApp(app) { Logs = logs };
        (use ?? (pipeline => pipeline.UseSession()))(app);
        app.Run(test.HandleAsync);
        await app.StartAsync();
        return test;
    }

    /// <summary>Starts one whose sessions are ours, at the server that <paramref name="configuration"/> names.</summary>
    public static Task<TestApp> StartAsync(
        string configuration, Action<RedisHashSessionOptions>? configure = null, Action<IApplicationBuilder>? use = null) =>
        StartAsync(services => services.AddRedisHashSession(options =>
        {
            options.Configuration = configuration;
            configure?.Invoke(options);
        }), use);

    /// <summary>The session key in a session cookie of one of these applications, as SessionMiddleware reads it.</summary>
    public static string SessionKeyIn(string cookie)
    {
        string text = Uri.UnescapeDataString(cookie);
        byte[] protectedKey = Convert.FromBase64String(text + new string('=', (4 - (text.Length % 4)) % 4));
        return Encoding.UTF8.GetString(DataProtection.CreateProtector("SessionMiddleware").Unprotect(protectedKey));
    }

    /// <summary>A visitor with cookies of its own.</summary>
    public Browser NewBrowser() => new(this);

    /// <summary>The connection of its sessions, where they are ours.</summary>
    public async Task<IDatabase> RedisAsync() => await Services.GetRequiredService<IRedisSessionConnection>().GetDatabaseAsync();

    /// <summary>Returns when what it has sent, and waits for or not, has arrived: something behind it is answered.</summary>
    public async Task UntilArrivedAsync() => await (await RedisAsync()).PingAsync();

    /// <summary>Returns when it has noticed that its server is gone.</summary>
    public async Task UntilDisconnectedAsync()
    {
        var redis = await RedisAsync();
        Assert.That(() => redis.Multiplexer.IsConnected, Is.False.After(20_000, 5));
    }

    /// <summary>
    /// Has <paramref name="request"/> run <paramref name="work"/> inside the application; also returns what it threw there.
    /// </summary>
    public async Task<(HttpResponseMessage Response, Exception? Thrown)> SendAsync(
        HttpClient client, HttpRequestMessage request, Func<HttpContext, Task> work, CancellationToken cancellationToken = default)
    {
        string id = Guid.NewGuid().ToString("N");
        Exception? thrown = null;
        _work[id] = async context =>
        {
            try
            {
                await work(context);
            }
            catch (Exception error)
            {
                thrown = error;
                throw;
            }
        };
        request.Headers.Add(WorkHeader, id);
        return (await client.SendAsync(request, cancellationToken), thrown);
    }

    /// <summary>Ends it in an orderly way, as a deployment does; disposing of it alone is like a crash.</summary>
    public Task StopAsync(CancellationToken cancellationToken = default) => _app.StopAsync(cancellationToken);

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private Task HandleAsync(HttpContext context) =>
        _work.TryRemove(context.Request.Headers[WorkHeader].ToString(), out var work) ? work(context) : Task.CompletedTask;
}
