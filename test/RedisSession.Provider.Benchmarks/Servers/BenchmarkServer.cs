using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace RedisSession.Provider.Benchmarks;

/// <summary>
/// The application that is measured: a process of its own, since the thread pool and the feature flags of the Redis client are per process.
/// It measures nothing itself.
/// </summary>
internal sealed class BenchmarkServer(int reads, ErrorCounter errors)
{
    public const string Name = "serve";

    /// <summary>Creates a session; the answer sets its cookie when the session is in Redis.</summary>
    public const string ArrivePath = "/arrive";

    /// <summary>Reads keys through the synchronous API; the answer is how many it found.</summary>
    public const string ReadPath = "/read";

    /// <summary>A <see cref="ServerState"/>.</summary>
    public const string StatePath = "/state";

    /// <summary>Stands before the address in what it says when it is ready.</summary>
    public const string ReadyText = "Listening on ";

    private const int LeastKeys = 10;
    private const int ValueLength = 20;

    private readonly string[] _keys = [.. Enumerable.Range(0, Math.Max(reads, LeastKeys)).Select(number => $"key{number}")];

    public static Command Command { get; } =
        new(Name, Summary: null, "Started by the other commands.", async (options, cancellationToken) =>
        {
            var variant = SessionVariant.Named(options.Text("--variant")).Single();
            string redis = options.Text("--redis") ?? throw new UsageException("--redis is missing.");
            int reads = options.Number("--reads", fallback: 1, lowest: 1, highest: int.MaxValue);
            options.ThrowIfAnyIsLeft();
            using var errors = new ErrorCounter();
            await new BenchmarkServer(reads, errors).RunAsync(variant, redis, cancellationToken);
        });

    private async Task RunAsync(SessionVariant variant, string redis, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<IDataProtectionProvider>(new EphemeralDataProtectionProvider());

        // As every template sets it: at Information stock asks Redis once more for each write. Where the log goes is no matter here.
        builder.Logging.ClearProviders().AddProvider(errors).SetMinimumLevel(LogLevel.Warning);
        variant.AddSession(builder.Services, redis, $"bench-{variant.Name}-{Guid.NewGuid():N}:");

        await using var app = builder.Build();
        app.Map(StatePath, branch => branch.Run(TellStateAsync));
        variant.UseSession(app);
        app.Map(ReadPath, branch => branch.Run(ReadAsync));
        app.Map(ArrivePath, branch => branch.Run(ArriveAsync));

        await app.StartAsync(cancellationToken);
        Console.WriteLine(ReadyText + app.Urls.First());
        await app.WaitForShutdownAsync(cancellationToken);
    }

    private async Task ArriveAsync(HttpContext context)
    {
        foreach (string key in _keys) context.Session.Set(key, new byte[ValueLength]);
        await context.Session.CommitAsync(); // stock would write after the answer
        await WriteNumberAsync(context, _keys.Length);
    }

    /// <summary>As most applications read: without LoadAsync.</summary>
    private Task ReadAsync(HttpContext context)
    {
        int found = 0;
        for (int i = 0; i < reads; i++)
        {
            if (context.Session.TryGetValue(_keys[i], out byte[]? value) && value.Length == ValueLength) found++;
        }

        return WriteNumberAsync(context, found);
    }

    private Task TellStateAsync(HttpContext context)
    {
        ThreadPool.GetMinThreads(out int minimum, out _);
        return context.Response.WriteAsJsonAsync(
            new ServerState(ThreadPool.ThreadCount, minimum, SessionVariant.HasDedicatedThreads, errors.ToDictionary()));
    }

    private static Task WriteNumberAsync(HttpContext context, int number)
    {
        string text = number.ToString(CultureInfo.InvariantCulture);
        context.Response.ContentLength = text.Length;
        return context.Response.WriteAsync(text);
    }
}
