using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Filters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace RedisSession.Provider.Benchmarks;

/// <summary>What has no I/O in it, by BenchmarkDotNet.</summary>
internal static class MicroCommand
{
    public const string Name = "micro";

    private static readonly Type[] Benchmarks =
    [
        typeof(SnapshotBenchmarks), typeof(ChangesBenchmarks), typeof(LayoutBenchmarks), typeof(ValueBenchmarks), typeof(CookieBenchmarks),
    ];

    public static Command Command { get; } = new(Name, "what has no I/O: parsing a hash, its layout, typed values, cookies", Help(), Run);

    private static Task Run(Options options, CancellationToken cancellationToken)
    {
        string filter = options.Text("--filter") ?? "*";
        bool isShort = options.Flag("--short");
        options.ThrowIfAnyIsLeft();

        var artifacts = Directory.CreateTempSubdirectory("redis-session-benchmarks-");
        try
        {
            var config = Config(isShort, filter, artifacts.FullName);
            foreach (var benchmarks in Benchmarks)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var summary = BenchmarkRunner.Run(benchmarks, config);
                if (summary.Reports.Length == 0) continue; // the filter leaves none of them
                Console.WriteLine($"### {benchmarks.Name}");
                MarkdownExporter.GitHub.ExportToLog(summary, ConsoleLogger.Unicode);
                Console.WriteLine();
            }
        }
        finally
        {
            artifacts.Delete(recursive: true);
        }

        Console.WriteLine($"{Machine.Description} · `{options.CommandLine}`");
        return Task.CompletedTask;
    }

    // In this process: a project made for it would have to be built by the rules of this repository.
    private static ManualConfig Config(bool isShort, string filter, string artifacts) => ManualConfig.CreateEmpty()
        .AddJob((isShort ? Job.ShortRun : Job.Default).WithToolchain(InProcessEmitToolchain.Instance))
        .AddDiagnoser(MemoryDiagnoser.Default)
        .AddColumnProvider(DefaultColumnProviders.Instance)
        .AddLogger(new StreamLogger(new StreamWriter(Console.OpenStandardError()) { AutoFlush = true }))
        .AddFilter(new GlobFilter([filter]))
        .WithArtifactsPath(artifacts);

    private static string Help() =>
        $"""
        {Command.Program} {Name} [OPTIONS]

        Time and allocations of what has no I/O in it, by BenchmarkDotNet.

          --filter GLOB   these benchmarks only, as in *Snapshot*
          --short         fewer iterations, for a first look

        Benchmarks: {string.Join(", ", Benchmarks.Select(type => type.Name))}
        """;
}
