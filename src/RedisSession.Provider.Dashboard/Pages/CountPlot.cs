using System.Globalization;
using System.Text;

namespace RedisSession.Provider.Dashboard;

/// <summary>How many sessions there were, as a line over time: SVG that is made here. Pure.</summary>
internal static class CountPlot
{
    private const int Width = 600;
    private const int Height = 90;

    public static Markup Of(IReadOnlyList<SessionCount> counts, DateTimeOffset now)
    {
        if (counts.Count == 0) return Markup.None;
        var (first, last) = (counts[0], counts[^1]);
        long highest = counts.Max(count => count.Count);
        string ago = Quantity.Of(now - last.At);
        return Markup.Of($"""
            <figure class="plot">
            <figcaption><b>{Quantity.Of(last.Count)}</b> {(last.Count == 1 ? "session" : "sessions")}
            <span class="muted">counted {ago} ago; highest {Quantity.Of(highest)} since {Clock(first.At, now)}</span></figcaption>
            {(counts.Count == 1 ? Markup.None : Drawing(counts, highest, now))}
            </figure>
            """);
    }

    private static Markup Drawing(IReadOnlyList<SessionCount> counts, long highest, DateTimeOffset now)
    {
        var (first, last) = (counts[0], counts[^1]);
        return Markup.Of($"""
            <svg viewBox="0 0 {Width} {Height}" preserveAspectRatio="none" role="img" aria-label="{Description(first, last, highest, now)}">
            {Line(counts, highest)}
            </svg>
            <div class="axis" aria-hidden="true"><span>{Clock(first.At, now)}</span><span>{Clock(last.At, now)}</span></div>
            """);
    }

    private static Markup Line(IReadOnlyList<SessionCount> counts, long highest)
    {
        var (start, end) = (counts[0].At, counts[^1].At);
        double seconds = Math.Max((end - start).TotalSeconds, 1);
        var points = new StringBuilder();
        foreach (var count in counts)
        {
            double x = Width * (count.At - start).TotalSeconds / seconds;
            double y = Height - ((Height - 4) * (double)count.Count / Math.Max(highest, 1)) - 2;
            points.Append(CultureInfo.InvariantCulture, $"{x:0.#},{y:0.#} ");
        }

        string line = points.ToString().TrimEnd();
        return Markup.Of($"""<polygon points="0,{Height} {line} {Width},{Height}"/><polyline points="{line}"/>""");
    }

    private static string Description(SessionCount first, SessionCount last, long highest, DateTimeOffset now) =>
        $"Sessions over time: {Quantity.Of(first.Count)} at {Clock(first.At, now)}, {Quantity.Of(last.Count)} at {Clock(last.At, now)}, "
        + $"at most {Quantity.Of(highest)}";

    private static string Clock(DateTimeOffset at, DateTimeOffset now) =>
        at.UtcDateTime.ToString(now - at < TimeSpan.FromHours(20) ? "HH:mm" : "yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
}
