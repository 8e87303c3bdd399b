namespace RedisSession.Provider.Benchmarks;

/// <summary>The results of <see cref="BlockingCommand"/> as Markdown.</summary>
internal static class BlockingReport
{
    private static readonly string[] Columns =
    [
        "variant", "burst: answered", "failed", "time", "x stock",
        "then: req/s", "x stock", "failed", "p50 ms", "p99 ms", "slowest ms", "pool threads",
    ];

    public static string Write(IReadOnlyList<BlockingTrial> trials, BlockingSettings settings, string redis)
    {
        var stock = trials.Where(trial => trial.Variant.Name == SessionVariant.StockName).ToDictionary(trial => trial.Round);
        return Markdown.Text(
        [
            .. Caption(settings),
            "", Markdown.Row(Columns), Markdown.Row(Columns.Select(_ => "---")),
            .. settings.Variants.Select(variant => Markdown.Row(Cells(Of(variant), stock, settings.Requests))),
            "", $"{Machine.Description} · thread pool minimum {trials[0].Before.PoolMinimum} · {redis} · `{settings.CommandLine}`",
            .. Errors(settings.Variants.SelectMany(Of)),
        ]);

        BlockingTrial[] Of(SessionVariant variant) => [.. trials.Where(trial => trial.Variant == variant)];
    }

    private static string[] Caption(BlockingSettings settings) =>
    [
        $"{settings.Requests} requests at once, then {BlockingSettings.SustainedConnections} connections for "
            + $"{settings.Sustained.TotalSeconds} s; each request makes {settings.Reads} synchronous reads.",
        $"Medians (lowest–highest) of {settings.Rounds} rounds, counts of all rounds together, ratios within a round (more is better).",
        "A burst lasts until its last answer, good or not; percentiles include failed requests;",
        "threads of the server's pool: before the burst → after it → at the end.",
    ];

    private static string[] Cells(BlockingTrial[] own, Dictionary<int, BlockingTrial> stock, int requests)
    {
        return
        [
            own[0].Variant.Name,
            $"{own.Sum(trial => trial.Burst.Count(Outcome.Answered))} of {own.Length * requests}",
            Failures(own.Select(trial => trial.Burst)),
            Markdown.Range(own.Select(trial => trial.Burst.Duration.TotalSeconds), "0.000") + " s",
            Ratio(own, stock, trial => 1 / trial.Burst.Duration.TotalSeconds),
            Markdown.Range(own.Select(trial => trial.Sustained.Rate), "0"),
            Ratio(own, stock, trial => trial.Sustained.Rate),
            Failures(own.Select(trial => trial.Sustained)),
            $"{Latencies(percent: 50).Median():0.0}",
            $"{Latencies(percent: 99).Median():0.0}",
            $"{Latencies(percent: 100).Max():0.0}",
            string.Join(" → ", Threads(trial => trial.Before), Threads(trial => trial.AfterBurst), Threads(trial => trial.End)),
        ];

        IEnumerable<double> Latencies(int percent) => own.Select(trial => trial.Sustained.Percentile(percent).TotalMilliseconds);

        string Threads(Func<BlockingTrial, ServerState?> state)
        {
            double[] counts = [.. own.Select(state).OfType<ServerState>().Select(state => (double)state.PoolThreads)];
            return counts.Length == 0 ? "?" : $"{counts.Median():0}";
        }
    }

    private static string Ratio(
        IReadOnlyList<BlockingTrial> own, Dictionary<int, BlockingTrial> stock, Func<BlockingTrial, double> measure) =>
        stock.Count == 0
            ? Markdown.Nothing
            : Markdown.Number(own.Select(trial => measure(trial) / measure(stock[trial.Round])).Median(), "0.0");

    private static string Failures(IEnumerable<Phase> phases) => FailureCounts.Sum(phases.Select(phase => new FailureCounts(phase.Count))).ToString();

    private static IEnumerable<string> Errors(IEnumerable<BlockingTrial> trials) => Markdown.Logged(
        from trial in trials
        from error in trial.End?.Errors ?? []
        group error.Value by (trial.Variant.Name, error.Key) into same
        select $"{same.Key.Name}, {same.Sum()} times: {same.Key.Key}");
}
