namespace RedisSession.Provider.Benchmarks;

/// <summary>Tables, and numbers in their cells.</summary>
internal static class Markdown
{
    public const string Nothing = "–";

    public static string Row(IEnumerable<string> cells) => $"| {string.Join(" | ", cells)} |";

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
