using System.Globalization;

namespace RedisSession.Provider.Dashboard;

/// <summary>Times and sizes in human-readable form. Pure.</summary>
internal static class Quantity
{
    private const long Kilo = 1024;

    /// <summary>In the two largest units that matter: <c>42 s</c>, <c>5 min</c>, <c>3 h 20 min</c>, <c>2 d 4 h</c>.</summary>
    public static string Of(TimeSpan time)
    {
        if (time < TimeSpan.Zero) time = TimeSpan.Zero;
        return time switch
        {
            { TotalMinutes: < 1 } => $"{time.Seconds} s",
            { TotalHours: < 1 } => $"{time.Minutes} min",
            { TotalDays: < 1, Minutes: 0 } => $"{time.Hours} h",
            { TotalDays: < 1 } => $"{time.Hours} h {time.Minutes} min",
            { Hours: 0 } => $"{time.Days} d",
            _ => $"{time.Days} d {time.Hours} h",
        };
    }

    /// <summary>How long ago something was, if its time is accurate to about a second: <c>5 min ago</c>.</summary>
    public static string Ago(TimeSpan time) => time < TimeSpan.FromSeconds(2) ? "just now" : $"{Of(time)} ago";

    /// <summary><c>2026-11-28 20:05:13</c>, in UTC.</summary>
    public static string Moment(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>A part of the total, in percent: <c>37 %</c>.</summary>
    public static string Share(long some, long all) =>
        string.Create(CultureInfo.InvariantCulture, $"{(all == 0 ? 0 : Math.Round(100.0 * some / all)):0} %");

    /// <summary>The same as a width in a drawing; anything above 0 stays visible.</summary>
    public static string Width(long some, long most) =>
        string.Create(CultureInfo.InvariantCulture, $"{(some == 0 ? 0 : Math.Max(1, 100.0 * some / most)):0.#}%");

    /// <summary><c>312 B</c>, <c>4.2 KB</c>, <c>1.3 MB</c>; a dash if unknown.</summary>
    public static string OfBytes(long? bytes) => bytes switch
    {
        null => "–",
        < Kilo => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
        < Kilo * Kilo => string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / Kilo:0.#} KB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / (Kilo * Kilo):0.#} MB"),
    };

    /// <summary><c>1,234,567</c></summary>
    public static string Of(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary><c>1 session</c>, <c>1,234 sessions</c>.</summary>
    public static string Of(long count, string noun) => count == 1 ? $"1 {noun}" : $"{Of(count)} {noun}s";
}
