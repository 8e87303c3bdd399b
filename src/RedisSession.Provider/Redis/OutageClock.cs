using System.Collections.Concurrent;
using System.Net;

namespace RedisSession.Provider;

/// <summary>
/// Since when each server has been away, and until when commands may wait for it: a request waits out a short outage, and does not wait in a
/// long one. Policy alone: who sees servers go and come says so.
/// </summary>
internal sealed class OutageClock(TimeSpan tolerance, TimeProvider time)
{
    private readonly ConcurrentDictionary<EndPoint, long> _since = new();

    public TimeSpan Tolerance => tolerance;

    public TimeProvider Time => time;

    /// <summary>Whether any server is away.</summary>
    public bool IsAnyAway { get; private set; }

    /// <summary>Whether there is one away for which somebody may still wait.</summary>
    public bool MayWait => IsAnyAway && _since.Any(outage => Left(outage.Value) > TimeSpan.Zero);

    public IReadOnlyCollection<EndPoint> Away => [.. _since.Keys];

    /// <summary>The server is away, since now or since <paramref name="since"/>; nothing changes where that is known.</summary>
    public bool Begin(EndPoint server, long? since = null)
    {
        lock (_since)
        {
            bool isNew = _since.TryAdd(server, since ?? time.GetTimestamp());
            IsAnyAway = true;
            return isNew;
        }
    }

    /// <summary>The server is there.</summary>
    public bool End(EndPoint server)
    {
        lock (_since)
        {
            bool wasAway = _since.TryRemove(server, out _);
            IsAnyAway = !_since.IsEmpty;
            return wasAway;
        }
    }

    /// <summary>
    /// How much longer commands may wait for the server: null while it is there; zero or less when it has been away for too long.
    /// </summary>
    public TimeSpan? Left(EndPoint server) => _since.TryGetValue(server, out long since) ? Left(since) : null;

    private TimeSpan Left(long since) => tolerance - time.GetElapsedTime(since);
}
