using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Trace;

namespace RedisSession.Provider.Tests;

/// <summary>
/// What OpenTelemetry's SDK is told by the activity source of sessions, of the requests that one test sends: by their trace, which is the
/// test's own.
/// </summary>
internal sealed class RecordedSpans : IDisposable
{
    private static readonly ActivitySource Tests = new("RedisSession.Provider.Tests");

    private readonly List<Activity> _exported = [];
    private readonly TracerProvider _provider;
    private readonly Activity _trace;

    private RecordedSpans(TracerProvider provider, List<Activity> exported, Activity trace) =>
        (_provider, _exported, _trace) = (provider, exported, trace);

    public static RecordedSpans Start()
    {
        List<Activity> exported = [];
        var provider = Sdk.CreateTracerProviderBuilder()
            .AddSource(SessionTelemetry.SourceName, Tests.Name)
            .AddInMemoryExporter(exported)
            .Build();
        return new(provider, exported, Tests.StartActivity("test")!);
    }

    /// <summary>Ends the recording; in the order in which they began.</summary>
    public IReadOnlyList<Activity> Stop()
    {
        _trace.Stop();
        _provider.Dispose(); // from here on nothing is added
        return
        [
            .. _exported.Where(span => span.TraceId == _trace.TraceId && span.Source.Name == SessionTelemetry.SourceName)
                .OrderBy(span => span.StartTimeUtc),
        ];
    }

    public void Dispose()
    {
        _trace.Dispose();
        _provider.Dispose();
    }
}
