using System.Runtime.InteropServices;

namespace RedisSession.Provider;

/// <summary>
/// When this process last refreshed the expiry of which session. A fixed-size table without locks, in which sessions evict each other; an
/// evicted one is refreshed once more.
/// </summary>
/// <remarks>
/// <code>
/// entry   mark    the session: <see cref="SessionId.NumberOf"/>, XORed with the time and with the TTL that it was given
///         time    in milliseconds of the process's clock
/// </code>
/// A reader can race a writer on an entry: mismatched halves give a mark that no session has.
/// </remarks>
internal sealed class RecentRefreshes
{
    // One megabyte: enough for one second of 65,000 sessions in use.
    private const int Size = 1 << 16;

    private readonly Entry[] _entries = new Entry[Size];

    /// <summary>When it was last refreshed; null if unknown, or if it was given another TTL, by another branch of the pipeline.</summary>
    public long? Find(ReadOnlySpan<byte> id, long timeToLive)
    {
        ulong number = SessionId.NumberOf(id);
        ref var entry = ref _entries[number % Size];
        ulong time = Volatile.Read(ref entry.Time);
        return (Volatile.Read(ref entry.Mark) ^ time ^ (ulong)timeToLive) == number ? (long)time : null;
    }

    public void Note(ReadOnlySpan<byte> id, long timeToLive, long now)
    {
        ulong number = SessionId.NumberOf(id);
        ref var entry = ref _entries[number % Size];
        Volatile.Write(ref entry.Mark, number ^ (ulong)now ^ (ulong)timeToLive);
        Volatile.Write(ref entry.Time, (ulong)now);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public ulong Mark;
        public ulong Time;
    }
}
