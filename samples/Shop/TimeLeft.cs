using System.Globalization;

namespace Shop;

public static class TimeLeft
{
    /// <summary>In whole seconds: 00:19:59.</summary>
    public static string ToClock(this TimeSpan left) =>
        TimeSpan.FromSeconds((long)left.TotalSeconds).ToString("c", CultureInfo.InvariantCulture);
}
