using System.Collections.Frozen;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace RedisSession.Provider.Benchmarks;

/// <summary>
/// The application that is measured: a process of its own, since the thread pool and the feature flags of the Redis client are per process.
/// It measures nothing itself. A request for <c>/name?10x20</c> does the workload of that name with a session of that shape.
/// </summary>
internal sealed class BenchmarkServer(FrozenDictionary<string, Func<HttpContext, SessionShape, ValueTask<int>>> work, ErrorCounter errors)
{
    public const string Name = "serve";

    /// <summary>Creates a session; the answer sets its cookie when the session is in Redis.</summary>
    public const string ArrivePath = "/arrive";

    /// <summary>Empties the session.</summary>
    public const string LeavePath = "/leave";

    /// <summary>Answers without a session, before the session middleware.</summary>
    public const string NothingPath = "/nothing";

    /// <summary>A <see cref="ServerState"/>.</summary>
    public const string StatePath = "/state";

    /// <summary>The workload that reads as many keys as the server was told, through the synchronous API.</summary>
    public const string ReadsName = "reads";

    /// <summary>Stands before the address in what it says when it is ready.</summary>
    public const string ReadyText = "Listening on ";

    public static Command Command { get; } =
        new(Name, Summary: null, "Started by the other commands.", async (options, cancellationToken) =>
        {
            var variant = SessionVariant.Named(options.Text("--variant")).Single();
            string redis = options.Text("--redis") ?? throw new UsageException("--redis is missing.");
            string prefix = options.Text("--prefix") ?? RedisUnderTest.NewPrefix();
            int reads = options.Number("--reads", fallback: 1, lowest: 1, highest: int.MaxValue);
            options.ThrowIfAnyIsLeft();
            using var errors = new ErrorCounter();
            await new BenchmarkServer(WorkByPath(reads), errors).RunAsync(variant, redis, prefix, cancellationToken);
        });

    private static FrozenDictionary<string, Func<HttpContext, SessionShape, ValueTask<int>>> WorkByPath(int reads)
    {
        Workload[] workloads = [.. Workload.All, Workload.Synchronous(ReadsName, "", reads)];
        var work = workloads.ToDictionary(workload => workload.Path, workload => workload.RunAsync, StringComparer.Ordinal);
        work.Add(ArrivePath, SessionWork.ArriveAsync);
        work.Add(LeavePath, SessionWork.LeaveAsync);
        return work.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private async Task RunAsync(SessionVariant variant, string redis, string prefix, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<IDataProtectionProvider>(new EphemeralDataProtectionProvider());

        // As every template sets it: at Information stock asks Redis once more for each write. Where the log goes is no matter here.
        builder.Logging.ClearProviders().AddProvider(errors).SetMinimumLevel(LogLevel.Warning);
        variant.AddSession(builder.Services, redis, prefix);

        await using var app = builder.Build();
        app.Map(StatePath, branch => branch.Run(TellStateAsync));
        app.Map(NothingPath, branch => branch.Run(context => WriteNumberAsync(context, 0)));
        variant.UseSession(app);
        app.Run(WorkAsync);

        await app.StartAsync(cancellationToken);
        Console.WriteLine(ReadyText + app.Urls.First());
        await app.WaitForShutdownAsync(cancellationToken);
    }

    private async Task WorkAsync(HttpContext context)
    {
        int done = await work[context.Request.Path.Value!](context, SessionShape.FromQuery(context.Request.QueryString.Value));
        await WriteNumberAsync(context, done);
    }

    private Task TellStateAsync(HttpContext context)
    {
        ThreadPool.GetMinThreads(out int minimum, out _);
        return context.Response.WriteAsJsonAsync(new ServerState(
            ThreadPool.ThreadCount, minimum, SessionVariant.HasDedicatedThreads, GC.GetTotalAllocatedBytes(),
            Environment.CpuUsage.TotalTime.TotalMicroseconds, errors.ToDictionary()));
    }

    private static Task WriteNumberAsync(HttpContext context, int number)
    {
        string text = number.ToString(CultureInfo.InvariantCulture);
        context.Response.ContentLength = text.Length;
        return context.Response.WriteAsync(text);
    }
}
