namespace RedisSession.Provider.Benchmarks;

internal static class Statistics
{
    public static double Median(this IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /// <summary>Of those that are numbers; NaN where none is.</summary>
    public static double MedianOfKnown(this IEnumerable<double> values)
    {
        double[] known = [.. values.Where(value => !double.IsNaN(value))];
        return known.Length == 0 ? double.NaN : known.Median();
    }
}
