namespace RedisSession.Provider.Benchmarks;

/// <summary>The results of <see cref="ScaleCommand"/> as Markdown.</summary>
internal static class ScaleReport
{
    public static string Write(IReadOnlyList<ScaleCell> cells, ScaleSettings settings, string redis)
    {
        return Markdown.Text(
        [
            $"Medians of {settings.Rounds} rounds of {settings.Duration.TotalSeconds} s for each variant and workload.",
            "CPU is microseconds of the server's process for each request, Redis CPU those of Redis.",
            .. settings.Parts.SelectMany(part => Part(cells.Where(cell => cell.Part == part).ToList(), part, settings)),
            "", $"{Machine.Description} · {redis} · `{settings.CommandLine}`",
        ]);
    }

    private static IEnumerable<string> Part(IReadOnlyList<ScaleCell> cells, ScalePart part, ScaleSettings settings) =>
    [
        "",
        $"### {part.Name}: {part.Description}",
        .. ScaleTrial.Workloads(SessionShape.Small).SelectMany(workload => Table(cells, part, workload.Name, settings.Variants)),
    ];

    private static IEnumerable<string> Table(
        IReadOnlyList<ScaleCell> cells, ScalePart part, string workload, IReadOnlyList<SessionVariant> variants)
    {
        string[] columns =
        [
            $"{workload}: {part.Name}",
            .. variants.Select(variant => $"{variant.Name} req/s"),
            .. Others().Select(variant => $"{variant.Name} x stock"),
            .. variants.Select(variant => $"{variant.Name} p50 ms"),
            .. variants.Select(variant => $"{variant.Name} p99 ms"),
            .. variants.Select(variant => $"{variant.Name} CPU"),
            .. variants.Select(variant => $"{variant.Name} Redis CPU"),
            "failed",
        ];
        return ["", .. Markdown.Table(columns, part.Points.Select(Row))];

        string[] Row(ScalePoint point)
        {
            var own = cells.Where(cell => cell.Point == point && cell.Workload == workload).ToLookup(cell => cell.Variant);
            return
            [
                point.Label,
                .. Each(measurement => measurement.Rate, "0"),
                .. Others().Select(variant => Ratio(own, variant)),
                .. Each(measurement => measurement.P50, "0.00"),
                .. Each(measurement => measurement.P99, "0.00"),
                .. Each(measurement => measurement.CpuMicroseconds, "0"),
                .. Each(measurement => measurement.RedisCpuMicroseconds, "0.0"),
                FailureCounts.Sum(own.SelectMany(same => same).Select(cell => cell.Measurement.Failures)).ToString(),
            ];

            IEnumerable<string> Each(Func<Measurement, double> measure, string format) =>
                variants.Select(variant => Markdown.Number(own[variant].Select(cell => measure(cell.Measurement)).MedianOfKnown(), format));
        }

        IEnumerable<SessionVariant> Others() => variants.Where(variant => variant.Name != SessionVariant.StockName);
    }

    private static string Ratio(ILookup<SessionVariant, ScaleCell> own, SessionVariant variant)
    {
        var stock = own.FirstOrDefault(same => same.Key.Name == SessionVariant.StockName)?.ToDictionary(cell => cell.Round);
        return Markdown.Number(
            stock is null
                ? double.NaN
                : own[variant].Select(cell => cell.Measurement.Rate / stock[cell.Round].Measurement.Rate).MedianOfKnown(),
            "0.00");
    }
}
