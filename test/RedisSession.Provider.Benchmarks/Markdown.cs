namespace RedisSession.Provider.Benchmarks;

/// <summary>Tables, and numbers in their cells.</summary>
internal static class Markdown
{
    public const string Nothing = "–";

    public static string Row(IEnumerable<string> cells) => $"| {string.Join(" | ", cells)} |";

    /// <summary>The first column is text, numbers stand right in the others.</summary>
    public static IEnumerable<string> Table(IReadOnlyList<string> columns, IEnumerable<IEnumerable<string>> rows) =>
        [Row(columns), Row(columns.Select((_, index) => index == 0 ? "---" : "--:")), .. rows.Select(Row)];

    public static string Number(double value, string format) => double.IsFinite(value) ? value.ToString(format, null) : Nothing;
}
