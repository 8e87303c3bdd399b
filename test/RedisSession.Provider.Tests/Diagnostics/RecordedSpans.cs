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

    private RecordedSpans()
    {
        _provider = Sdk.CreateTracerProviderBuilder()
            .AddSource(SessionTelemetry.SourceName, Tests.Name).AddInMemoryExporter(_exported).Build();
        _trace = Tests.StartActivity("test")!;
    }

    public static RecordedSpans Start() => new();

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
