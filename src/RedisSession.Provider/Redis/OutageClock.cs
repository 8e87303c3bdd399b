using System.Collections.Concurrent;
using System.Net;

namespace RedisSession.Provider;

/// <summary>
/// Since when each server has been unavailable, and how long commands may wait for it: a request waits out a short outage, but not a long
/// one. Policy only: the code that sees servers go and come reports it here.
/// </summary>
internal sealed class OutageClock(TimeSpan tolerance, TimeProvider time)
{
    private readonly ConcurrentDictionary<EndPoint, long> _since = new();

    public TimeSpan Tolerance => tolerance;

    public TimeProvider Time => time;

    /// <summary>Whether any server is unavailable.</summary>
    public bool IsAnyAway { get; private set; }

    /// <summary>Whether commands may still wait for an unavailable one.</summary>
    public bool MayWait => IsAnyAway && _since.Any(outage => Left(outage.Value) > TimeSpan.Zero);

    public IReadOnlyCollection<EndPoint> Away => [.. _since.Keys];

    /// <summary>The server is unavailable, from now or from <paramref name="since"/>; changes nothing if that is known.</summary>
    public bool Begin(EndPoint server, long? since = null)
    {
        lock (_since)
        {
            bool isNew = _since.TryAdd(server, since ?? time.GetTimestamp());
            IsAnyAway = true;
            return isNew;
        }
    }

    /// <summary>The server is available.</summary>
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
    /// How much longer commands may wait for the server: null while it is available; zero or less when it has been away for too long.
    /// </summary>
    public TimeSpan? Left(EndPoint server) => _since.TryGetValue(server, out long since) ? Left(since) : null;

    private TimeSpan Left(long since) => tolerance - time.GetElapsedTime(since);
}
