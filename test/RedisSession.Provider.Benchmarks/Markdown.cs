namespace RedisSession.Provider.Benchmarks;

/// <summary>Tables, and numbers in their cells.</summary>
internal static class Markdown
{
    public const string Nothing = "–";

    public static string Row(IEnumerable<string> cells) => $"| {string.Join(" | ", cells)} |";

    /// <summary>The whole of a report.</summary>
    public static string Text(IEnumerable<string> lines) => string.Join(Environment.NewLine, lines) + Environment.NewLine;

    /// <summary>The end of a report, where there is anything of that kind.</summary>
    public static IEnumerable<string> Logged(IEnumerable<string> errors) =>
        errors.Any() ? ["", "What the servers logged:", "", .. errors.Select(error => $"- {error}")] : [];

    /// <summary>The first column is text, numbers stand right in the others.</summary>
    public static IEnumerable<string> Table(IReadOnlyList<string> columns, IEnumerable<IEnumerable<string>> rows) =>
        [Row(columns), Row(columns.Select((_, index) => index == 0 ? "---" : "--:")), .. rows.Select(Row)];

    public static string Number(double value, string format)
    {
        if (double.IsNaN(value)) return Nothing;
        return double.IsInfinity(value) ? "∞" : value.ToString(format, null);
    }

    /// <summary>The median, and where there are several the lowest and the highest of them.</summary>
    public static string Range(IEnumerable<double> values, string format)
    {
        double[] all = [.. values];
        string median = Number(all.MedianOfKnown(), format);
        return all.Length <= 1 ? median : $"{median} ({Number(all.Min(), format)}–{Number(all.Max(), format)})";
    }
}
