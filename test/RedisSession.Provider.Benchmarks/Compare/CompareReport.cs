namespace RedisSession.Provider.Benchmarks;

/// <summary>The results of <see cref="CompareCommand"/> as Markdown.</summary>
internal sealed class CompareReport(
    IReadOnlyList<ComparedCell> cells,
    Dictionary<SessionVariant, Dictionary<Workload, RoundTripCount>> roundTrips,
    CompareSettings settings)
{
    private static readonly string[] Columns =
    [
        "variant", "req/s", "x stock", "x floor", "p50 ms", "p99 ms", "allocated B", "x floor", "CPU µs", "Redis CPU µs",
        "to Redis B", "from Redis B", "round trips", "then", "failed",
    ];

    public static string Write(
        IReadOnlyList<ComparedCell> cells,
        Dictionary<SessionVariant, Dictionary<Workload, RoundTripCount>> roundTrips,
        CompareSettings settings,
        string redis)
    {
        var report = new CompareReport(cells, roundTrips, settings);
        return Markdown.Text(
        [
            .. report.Caption(), "", .. report.Summary(), .. settings.Workloads.SelectMany(report.Details),
            "", $"{Machine.Description} · {redis} · `{settings.CommandLine}`", .. report.Errors(),
        ]);
    }

    private string[] Caption() =>
    [
        $"{settings.Connections} connections; medians (lowest–highest) of {settings.Rounds} rounds, in each of which each variant does each "
            + $"workload for {settings.Duration.TotalSeconds} s (sync-…: {settings.BlockingDuration.TotalSeconds} s).",
        "Ratios are within a round, then their median; for requests per second more is better, for allocated bytes less.",
        "Bytes, allocations and processor time are for each request; CPU is the server's process, all of HTTP included.",
        "Round trips: how many times one request waits for Redis until its answer, one after the other, and then until the server is done.",
        "",
        .. settings.Variants.Select(variant => $"- {variant.Name}: {variant.Description}"),
    ];

    private IEnumerable<string> Summary()
    {
        var others = settings.Variants.Where(variant => variant.Name is not (SessionVariant.StockName or SessionVariant.FloorName)).ToList();
        string[] columns =
        [
            "workload", "stock req/s", "floor x stock",
            .. others.Select(variant => $"{variant.Name} x stock"),
            .. others.Select(variant => $"{variant.Name} x floor"),
        ];
        return Markdown.Table(columns, settings.Workloads.Select(workload => new[]
        {
            workload.Name,
            Markdown.Number(Of(SessionVariant.StockName, workload).Select(cell => cell.Measurement.Rate).MedianOfKnown(), "0"),
            Ratio(Of(SessionVariant.FloorName, workload), SessionVariant.StockName),
        }.Concat(others.Select(variant => Ratio(Of(variant.Name, workload), SessionVariant.StockName)))
            .Concat(others.Select(variant => Ratio(Of(variant.Name, workload), SessionVariant.FloorName)))));
    }

    private IEnumerable<string> Details(Workload workload)
    {
        var loaded = settings.Workloads.FirstOrDefault(other => other.Name == workload.Loaded);
        string[] columns = loaded is null ? Columns : [.. Columns, "x with LoadAsync"];
        return
        [
            "", $"### {workload.Name}",
            "", $"{workload.Shape}: {workload.Description}." + (workload.Blocks ? Blocking() : ""),
            "", .. Markdown.Table(columns, settings.Variants.Select(variant => Row(variant, workload, loaded))),
        ];
    }

    private string[] Row(SessionVariant variant, Workload workload, Workload? loaded)
    {
        var own = Of(variant.Name, workload);
        string[] row =
        [
            variant.Name,
            Markdown.Range(own.Select(cell => cell.Measurement.Rate), "0"),
            Ratio(own, SessionVariant.StockName),
            Ratio(own, SessionVariant.FloorName),
            Show(measurement => measurement.P50, "0.00"),
            Show(measurement => measurement.P99, "0.00"),
            Show(measurement => measurement.AllocatedBytes, "0"),
            Ratio(own, SessionVariant.FloorName, measurement => measurement.AllocatedBytes),
            Show(measurement => measurement.CpuMicroseconds, "0.0"),
            Show(measurement => measurement.RedisCpuMicroseconds, "0.0"),
            Show(measurement => measurement.RedisBytesIn, "0"),
            Show(measurement => measurement.RedisBytesOut, "0"),
            RoundTrips(count => count.UntilAnswer),
            RoundTrips(count => count.AfterAnswer),
            FailureCounts.Sum(own.Select(cell => cell.Measurement.Failures)).ToString(),
        ];
        return loaded is null ? row : [.. row, Ratio(own, cell => Of(variant.Name, loaded).First(other => other.Round == cell.Round))];

        string Show(Func<Measurement, double> measure, string format) =>
            Markdown.Number(own.Select(cell => measure(cell.Measurement)).MedianOfKnown(), format);

        string RoundTrips(Func<RoundTripCount, int> which) =>
            roundTrips.TryGetValue(variant, out var counts) ? $"{which(counts[workload])}" : Markdown.Nothing;
    }

    private string Blocking() =>
        " Threads wait for Redis here, in a pool that begins at its default minimum, for "
        + $"{settings.BlockingDuration.TotalSeconds} s in each round.";

    private List<ComparedCell> Of(string variant, Workload workload) =>
        [.. cells.Where(cell => cell.Variant.Name == variant && cell.Workload == workload)];

    private string Ratio(IReadOnlyList<ComparedCell> own, string other, Func<Measurement, double>? measure = null) => Ratio(
        own,
        cell => cells.FirstOrDefault(candidate =>
            candidate.Variant.Name == other && candidate.Workload == cell.Workload && candidate.Round == cell.Round),
        measure);

    private static string Ratio(
        IReadOnlyList<ComparedCell> own, Func<ComparedCell, ComparedCell?> other, Func<Measurement, double>? measure = null)
    {
        measure ??= measurement => measurement.Rate;
        var ratios = own.Select(cell => other(cell) is { } there ? measure(cell.Measurement) / measure(there.Measurement) : double.NaN);
        return Markdown.Number(ratios.MedianOfKnown(), "0.00");
    }

    private IEnumerable<string> Errors()
    {
        // Each server says what it has logged since its start; one that was replaced has begun again.
        return Markdown.Logged(
            from cell in cells
            from error in cell.Measurement.Errors
            group error.Value by (cell.Variant.Name, cell.Workload.Blocks, error.Key) into same
            select $"{same.Key.Name}{(same.Key.Blocks ? " (sync)" : "")}, at least {same.Max()} times: {same.Key.Key}");
    }
}
