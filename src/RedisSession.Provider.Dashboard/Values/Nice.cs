namespace RedisSession.Provider.Dashboard;

/// <summary>Round numbers and times for the marks of an axis. Pure.</summary>
internal static class Nice
{
    private static readonly int[] Tops = [1, 2, 4, 6, 8, 10];

    private static readonly TimeSpan[] Steps =
    [
        TimeSpan.FromSeconds(15), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(15),
        TimeSpan.FromMinutes(30), TimeSpan.FromHours(1), TimeSpan.FromHours(2), TimeSpan.FromHours(3), TimeSpan.FromHours(6),
        TimeSpan.FromHours(12), TimeSpan.FromDays(1), TimeSpan.FromDays(2), TimeSpan.FromDays(7), TimeSpan.FromDays(30),
    ];

    /// <summary>The end of an axis for <paramref name="highest"/>; its midpoint is a whole number too, unless the end is 1.</summary>
    public static long Top(long highest)
    {
        for (long unit = 1; ; unit *= 10)
        {
            foreach (int top in Tops)
            {
                if (top * unit >= highest || unit >= long.MaxValue / 100) return top * unit;
            }
        }
    }

    /// <summary>Round times between the two, in UTC, at most <paramref name="most"/>; and the step between them.</summary>
    public static (IReadOnlyList<DateTimeOffset> Moments, TimeSpan Step) Between(DateTimeOffset start, DateTimeOffset end, int most)
    {
        var step = Steps.FirstOrDefault(step => (end - start) / step <= most, Steps[^1] * Math.Ceiling((end - start) / Steps[^1] / most));
        var moments = new List<DateTimeOffset>();
        long first = (start.UtcTicks + step.Ticks - 1) / step.Ticks * step.Ticks;
        for (long ticks = first; ticks <= end.UtcTicks && moments.Count < most; ticks += step.Ticks) moments.Add(new(ticks, TimeSpan.Zero));
        return (moments, step);
    }
}
