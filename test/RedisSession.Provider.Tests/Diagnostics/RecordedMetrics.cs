using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace RedisSession.Provider.Tests;

/// <summary>
/// What OpenTelemetry's SDK is told by the meter of sessions. It listens to every application of this process, so whoever uses it runs
/// alone.
/// </summary>
internal sealed class RecordedMetrics : IDisposable
{
    private readonly List<MetricSnapshot> _exported = [];
    private readonly MeterProvider _provider;

    public RecordedMetrics() =>
        _provider = Sdk.CreateMeterProviderBuilder().AddMeter(SessionMetrics.MeterName).AddInMemoryExporter(_exported).Build();

    public IReadOnlyList<MetricSnapshot> All
    {
        get
        {
            _exported.Clear();
            _provider.ForceFlush();
            return _exported;
        }
    }

    /// <summary>The sum of a counter over the points that have all <paramref name="tags"/>.</summary>
    public long Sum(string name, params (string Key, string Value)[] tags) => Points(name, tags).Sum(point => point.GetSumLong());

    /// <summary>How often a histogram was told something with all <paramref name="tags"/>.</summary>
    public long Count(string name, params (string Key, string Value)[] tags) => Points(name, tags).Sum(point => point.GetHistogramCount());

    /// <summary>The operations of one kind and outcome that were timed.</summary>
    public long Operations(string kind, string outcome = "ok") =>
        Count(SessionMetrics.OperationDuration, (TelemetryTags.Operation, kind), (TelemetryTags.Outcome, outcome));

    /// <summary>The failures of one kind of operation and one type of error.</summary>
    public long Failures(string kind, string type) =>
        Sum(SessionMetrics.Failures, (TelemetryTags.Operation, kind), (TelemetryTags.ErrorType, type));

    public IReadOnlyList<MetricPoint> Points(string name, params (string Key, string Value)[] tags) =>
    [
        .. All.Where(metric => metric.Name == name)
            .SelectMany(metric => metric.MetricPoints)
            .Where(point => tags.All(tag => Equals(TagsOf(point).GetValueOrDefault(tag.Key), tag.Value))),
    ];

    public static IReadOnlyDictionary<string, object?> TagsOf(MetricPoint point)
    {
        var tags = new Dictionary<string, object?>();
        foreach (var (key, value) in point.Tags) tags[key] = value;
        return tags;
    }

    public void Dispose() => _provider.Dispose();
}
