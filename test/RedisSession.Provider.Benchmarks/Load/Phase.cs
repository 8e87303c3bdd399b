using System.Diagnostics;

namespace RedisSession.Provider.Benchmarks;

/// <summary>Requests that belong together, and what became of them.</summary>
internal sealed class Phase
{
    // How long the last answers may take. Long enough for a server that has stalled to come through; then it counts as no answer.
    private static readonly TimeSpan LongPatience = TimeSpan.FromSeconds(120);

    // Before a visitor tries again whose connection broke: a server that is gone refuses thousands of them in a second.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly Visit[] _visits;
    private readonly TimeSpan[] _latencies;

    private Phase(IEnumerable<Visit> visits, TimeSpan? duration = null)
    {
        _visits = [.. visits];
        _latencies = [.. _visits.Select(visit => visit.Latency).Order()];
        Duration = duration ?? _visits.Max(visit => visit.End);
    }

    /// <summary>Until the last answer, or as long as requests were sent.</summary>
    public TimeSpan Duration { get; }

    /// <summary>Whatever became of them.</summary>
    public int Requests => _visits.Length;

    /// <summary>Good answers within the duration, for each second of it.</summary>
    public double Rate => _visits.Count(visit => visit.Outcome == Outcome.Answered && visit.End <= Duration) / Duration.TotalSeconds;

    public int Count(Outcome outcome) => _visits.Count(visit => visit.Outcome == outcome);

    /// <summary>Of all requests, the failed ones too: a visitor has waited for those as well.</summary>
    public TimeSpan Percentile(int percent) => _latencies[(_latencies.Length - 1) * percent / 100];

    /// <summary>All visitors at the same moment, once.</summary>
    public static async Task<Phase> BurstAsync(IReadOnlyList<Visitor> visitors, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(LongPatience);
        var clock = Stopwatch.StartNew();
        var visits = await Task.WhenAll(visitors.Select(visitor => visitor.VisitAsync(clock, patience.Token)));
        cancellationToken.ThrowIfCancellationRequested();
        return new(visits);
    }

    /// <summary>
    /// Each visitor again as soon as it has its answer, for a time; after it the last answers are waited for no longer than the
    /// <paramref name="patience"/>.
    /// </summary>
    public static async Task<Phase> SustainAsync(
        IReadOnlyList<Visitor> visitors, TimeSpan duration, CancellationToken cancellationToken, TimeSpan? patience = null)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        end.CancelAfter(duration + (patience ?? LongPatience));
        var clock = Stopwatch.StartNew();
        var visits = await Task.WhenAll(visitors.Select(visitor => Task.Run(() => KeepVisitingAsync(visitor), CancellationToken.None)));
        cancellationToken.ThrowIfCancellationRequested();
        return new(visits.SelectMany(visit => visit), duration);

        async Task<List<Visit>> KeepVisitingAsync(Visitor visitor)
        {
            var own = new List<Visit>();
            while (clock.Elapsed < duration)
            {
                var visit = await visitor.VisitAsync(clock, end.Token);
                own.Add(visit);
                if (visit.Outcome == Outcome.NoAnswer) await Task.Delay(Pause, cancellationToken);
            }

            return own;
        }
    }
}
