using System.Diagnostics;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Hosting;

namespace RedisSession.Provider.Tests;

/// <summary>
/// A small application that can run as a process of its own, to be killed, and in this one beside it. <c>/arrive</c> begins a session,
/// <c>/sign-in</c> renews its key, <c>/more</c> changes it, <c>/hold</c> and <c>/turn</c> change it under its lock, <c>/whole</c> says what
/// is in it.
/// </summary>
internal sealed partial class KillableApp : IAsyncDisposable
{
    public const string Name = "serve";

    private const string Holding = "Holding";

    private readonly Process _process;
    private readonly ProcessOutput _output;

    private KillableApp(Process process) => (_process, _output) = (process, new(process));

    public Uri Address { get; private set; } = null!;

    /// <summary>Starts it as a process of its own.</summary>
    public static async Task<KillableApp> StartAsync(params string[] options)
    {
        string dotnet = Executables.FindOnPath("dotnet") ?? throw new InvalidOperationException("There is no dotnet on PATH.");
        var app = new KillableApp(await ChildProcess.StartAsync(dotnet, [Assembly.GetExecutingAssembly().Location, Name, .. options]));
        app.Address = new(await app._output.FindAsync(ListeningLine()));
        return app;
    }

    /// <summary>It has the lock, and knows that: in Redis the lock is its before the reply has told it so.</summary>
    public Task UntilHoldingAsync() => _output.FindAsync(HoldingLine());

    /// <summary>It stands still, as in a pause of the garbage collector or of its virtual machine, until it goes on.</summary>
    public void StandStill() => _process.Signal("STOP");

    public void GoOn() => _process.Signal("CONT");

    /// <summary>As a power cut does.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
    }

    /// <param name="options">Redis, the key prefix, the folder of the data-protection keys, and whether values are encrypted.</param>
    public static async Task ServeAsync(string[] options)
    {
        await using var app = Build(options[0], options[1], options[2], bool.Parse(options[3]));
        await app.StartAsync();
        Console.WriteLine($"Listening on {app.Urls.First()}");
        await app.WaitForShutdownAsync();
    }

    public static WebApplication Build(string redis, string prefix, string keys, bool protectsValues)
    {
        var builder = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddDataProtection().PersistKeysToFileSystem(new(keys)).SetApplicationName("killable");
        builder.Services.AddRedisHashSession(options =>
            (options.Configuration, options.KeyPrefix, options.ProtectValues) = (redis, prefix, protectsValues));
        var app = builder.Build();
        app.UseSession();
        app.Map("/arrive", (HttpContext context) =>
        {
            context.Session.SetString("cart", "full");
            context.Session.SetString("more", new string('x', 1000));
        });
        app.Map("/sign-in", async (HttpContext context) =>
        {
            await context.RenewSessionAsync("ann");
            context.Session.SetString("signed in", "1");
        });
        app.Map("/hold", (HttpContext context) => SetLockedAsync(context, "held", () =>
        {
            Console.WriteLine(Holding);
            return Task.Delay(TimeSpan.FromSeconds(1));
        }));
        app.Map("/turn", (HttpContext context) => SetLockedAsync(context, "next", () => Task.CompletedTask));
        app.Map("/more", (HttpContext context) => context.Session.SetString("more", new string('x', 1001)));
        app.Map("/whole", (HttpContext context) =>
            $"{context.Session.GetString("cart")} {context.Session.GetString("more")?.Length} {context.Session.GetString("signed in")}");
        return app;
    }

    private static async Task SetLockedAsync(HttpContext context, string value, Func<Task> hold)
    {
        bool isWritten = await Attempt.IsDoneAsync<SessionLockLostException>(async () =>
        {
            await using var held = await context.Session.LockAsync(TimeSpan.FromSeconds(30));
            await hold();
            context.Session.SetString("turn", value);
        });
        await context.Response.WriteAsync(isWritten ? "written" : "lost");
    }

    [GeneratedRegex(Holding)]
    private static partial Regex HoldingLine();

    [GeneratedRegex(@"Listening on (http://127\.0\.0\.1:\d+)")]
    private static partial Regex ListeningLine();
}
