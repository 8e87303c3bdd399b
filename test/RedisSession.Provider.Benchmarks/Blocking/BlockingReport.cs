using System.Globalization;
using System.Text;

namespace RedisSession.Provider.Benchmarks;

/// <summary>The results of <see cref="BlockingCommand"/> as Markdown.</summary>
internal static class BlockingReport
{
    public static string Write(IReadOnlyList<BlockingTrial> trials, BlockingSettings settings, string redis)
    {
        var text = new StringBuilder();
        text.AppendLine(
            CultureInfo.InvariantCulture,
            $"""
            {settings.Requests} requests at once, then {BlockingSettings.SustainedConnections} connections for {settings.Sustained.TotalSeconds} s; {settings.Reads} synchronous reads each. Medians (lowest–highest) of {settings.Rounds} rounds, counts
            of all rounds together, ratios within a round (more is better). A burst takes until its last answer, good or not; percentiles include
            failed requests; threads of the server's pool: before the burst → after it → at the end.

            | variant | burst: answered | failed | time | x stock | then: req/s | x stock | failed | p50 ms | p99 ms | pool threads |
            |---|---|---|---|---|---|---|---|---|---|---|
            """);
        foreach (var variant in settings.Variants)
            text.AppendLine(Row([.. trials.Where(trial => trial.Variant == variant)], StockOf(trials), settings.Requests));

        text.AppendLine().AppendLine(Environment(trials, redis) + $" · `{settings.CommandLine}`");
        AppendErrors(text, trials, settings);
        return text.ToString();
    }

    private static string Row(BlockingTrial[] own, Dictionary<int, BlockingTrial> stock, int requests)
    {
        string[] cells =
        [
            own[0].Variant.Name,
            $"{own.Sum(trial => trial.Burst.Count(Outcome.Answered))} of {own.Length * requests}",
            Failures(own.Select(trial => trial.Burst)),
            Range(own.Select(trial => trial.Burst.Duration.TotalSeconds), "0.000") + " s",
            Ratio(own, stock, trial => 1 / trial.Burst.Duration.TotalSeconds),
            Range(own.Select(trial => trial.Sustained.Rate), "0"),
            Ratio(own, stock, trial => trial.Sustained.Rate),
            Failures(own.Select(trial => trial.Sustained)),
            $"{own.Select(trial => trial.Sustained.Percentile(50).TotalMilliseconds).Median():0.0}",
            $"{own.Select(trial => trial.Sustained.Percentile(99).TotalMilliseconds).Median():0.0}",
            string.Join(" → ", Threads(trial => trial.Before), Threads(trial => trial.AfterBurst), Threads(trial => trial.End)),
        ];
        return $"| {string.Join(" | ", cells)} |";

        string Threads(Func<BlockingTrial, ServerState?> state)
        {
            double[] counts = [.. own.Select(state).OfType<ServerState>().Select(state => (double)state.PoolThreads)];
            return counts.Length == 0 ? "?" : $"{counts.Median():0}";
        }
    }

    private static string Range(IEnumerable<double> values, string format)
    {
        double[] all = [.. values];
        string median = all.Median().ToString(format, null);
        return all.Length == 1 ? median : $"{median} ({all.Min().ToString(format, null)}–{all.Max().ToString(format, null)})";
    }

    private static string Ratio(
        IReadOnlyList<BlockingTrial> own, Dictionary<int, BlockingTrial> stock, Func<BlockingTrial, double> measure) =>
        stock.Count == 0 ? "–" : $"{own.Select(trial => measure(trial) / measure(stock[trial.Round])).Median():0.0}";

    private static Dictionary<int, BlockingTrial> StockOf(IEnumerable<BlockingTrial> trials) =>
        trials.Where(trial => trial.Variant.Name == SessionVariant.StockName).ToDictionary(trial => trial.Round);

    private static string Failures(IEnumerable<Phase> phases)
    {
        (Outcome Outcome, string Text)[] kinds =
            [(Outcome.NothingFound, "nothing found"), (Outcome.Error, "error status"), (Outcome.NoAnswer, "no answer")];
        var counts = kinds
            .Select(kind => (Count: phases.Sum(phase => phase.Count(kind.Outcome)), kind.Text))
            .Where(kind => kind.Count > 0)
            .Select(kind => $"{kind.Count} {kind.Text}");
        return string.Join(", ", counts) is { Length: > 0 } text ? text : "0";
    }

    private static string Environment(IReadOnlyList<BlockingTrial> trials, string redis) =>
        $"{Machine.Description} · thread pool minimum {trials[0].Before.PoolMinimum} · {redis}";

    private static void AppendErrors(StringBuilder text, IReadOnlyList<BlockingTrial> trials, BlockingSettings settings)
    {
        var errors =
            from variant in settings.Variants
            from error in trials.Where(trial => trial.Variant == variant).SelectMany(trial => trial.End?.Errors ?? [])
            group error.Value by (variant.Name, error.Key) into same
            select $"- {same.Key.Name}, {same.Sum()} times: {same.Key.Key}";
        string list = string.Join(System.Environment.NewLine, errors);
        if (list.Length > 0) text.AppendLine().AppendLine("What the servers logged:").AppendLine().AppendLine(list);
    }
}
