using System.Globalization;
using System.Text;

namespace RedisSession.Provider.Dashboard;

/// <summary>Plots the number of sessions over time as SVG. Pure.</summary>
/// <remarks>
/// Positions are percentages, so that the plot fills the available width while the text keeps its normal size. Only the line is stretched:
/// it is in a nested SVG. From top to bottom: a strip for the highest label, the line, a strip for the times.
/// </remarks>
internal static class CountPlot
{
    private const int Width = 600;
    private const int Height = 100;
    private const int TopOfLine = 12;
    private const int HeightOfLine = 74;
    private const int MostTimes = 5;

    /// <summary>Empty if there is no line to draw.</summary>
    public static Markup Of(IReadOnlyList<SessionCount> counts)
    {
        if (counts.Count < 2) return Markup.None;
        var (first, last) = (counts[0], counts[^1]);
        long top = Nice.Top(counts.Max(count => count.Count));
        long[] levels = top == 1 ? [0, 1] : [0, top / 2, top];
        var (times, step) = Nice.Between(first.At, last.At, MostTimes);
        return Markup.Of($"""
            <svg class="counts" role="img" aria-label="{Description(counts)}">
            {levels.Select(level => Level(level, top))}
            {times.Select(time => Tick((time - first.At) / (last.At - first.At)))}
            <svg x="0" y="{TopOfLine}%" width="100%" height="{HeightOfLine}%" viewBox="0 0 {Width} {Height}" preserveAspectRatio="none">
            {Line(counts, top)}
            </svg>
            {levels.Select(level => LevelLabel(level, top))}
            {times.Select(time => Label((time - first.At) / (last.At - first.At), Clock(time, step)))}
            </svg>
            """);
    }

    /// <summary>A time, as precise as the distance between the marks requires.</summary>
    public static string Clock(DateTimeOffset at, TimeSpan step) => at.UtcDateTime.ToString(
        step >= TimeSpan.FromDays(1) ? "MMM d" : step >= TimeSpan.FromMinutes(1) ? "HH:mm" : "HH:mm:ss", CultureInfo.InvariantCulture);

    private static Markup Level(long level, long top) =>
        Markup.Of($"""<line x1="0" x2="100%" y1="{Percent(HeightOf(level, top))}" y2="{Percent(HeightOf(level, top))}"/>""");

    private static Markup LevelLabel(long level, long top) =>
        Markup.Of($"""<text x="0" y="{Percent(HeightOf(level, top))}" dy="-.3em">{Quantity.Of(level)}</text>""");

    private static double HeightOf(long level, long top) => (TopOfLine + (HeightOfLine * (1 - ((double)level / top)))) / 100;

    private static Markup Tick(double at) => Markup.Of($"""
        <line x1="{Percent(at)}" x2="{Percent(at)}" y1="{TopOfLine + HeightOfLine}%" y2="{TopOfLine + HeightOfLine + 3}%"/>
        """);

    private static Markup Label(double at, string text) => Markup.Of($"""
        <text x="{Percent(at)}" y="99%" text-anchor="{(at < 0.05 ? "start" : at > 0.95 ? "end" : "middle")}">{text}</text>
        """);

    private static Markup Line(IReadOnlyList<SessionCount> counts, long top)
    {
        var (start, end) = (counts[0].At, counts[^1].At);
        double seconds = Math.Max((end - start).TotalSeconds, 1);
        var points = new StringBuilder();
        foreach (var count in counts)
        {
            double x = Width * (count.At - start).TotalSeconds / seconds;
            double y = Height - (Height * (double)count.Count / top);
            points.Append(CultureInfo.InvariantCulture, $"{x:0.#},{y:0.#} ");
        }

        string line = points.ToString().TrimEnd();
        return Markup.Of($"""<polygon points="0,{Height} {line} {Width},{Height}"/><polyline points="{line}"/>""");
    }

    private static string Description(IReadOnlyList<SessionCount> counts)
    {
        var (first, last) = (counts[0], counts[^1]);
        return $"Sessions over time: {Quantity.Of(first.Count)} at {Quantity.Moment(first.At)}, {Quantity.Of(last.Count)} at "
            + $"{Quantity.Moment(last.At)}, at most {Quantity.Of(counts.Max(count => count.Count))}";
    }

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.##}%");
}
