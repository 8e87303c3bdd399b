using System.Runtime.InteropServices;

namespace RedisSession.Provider;

/// <summary>
/// When this process has last refreshed the expiry of which session. A table of fixed size, in which sessions push each other out; what it
/// has forgotten is refreshed once more. Without locks.
/// </summary>
/// <remarks>
/// <code>
/// entry   mark    the session: <see cref="SessionId.NumberOf"/>, XORed with the time
///         time    in milliseconds of the process's clock
/// </code>
/// Writer and reader can meet in an entry: halves that do not belong together give a mark that no session has.
/// </remarks>
internal sealed class RecentRefreshes
{
    // A megabyte. It remembers a second of 65,000 sessions that are used.
    private const int Size = 1 << 16;

    private readonly Entry[] _entries = new Entry[Size];

    /// <summary>When it was; null when that is not known.</summary>
    public long? Find(ReadOnlySpan<byte> id)
    {
        ulong number = SessionId.NumberOf(id);
        ref var entry = ref _entries[number % Size];
        ulong time = Volatile.Read(ref entry.Time);
        return (Volatile.Read(ref entry.Mark) ^ time) == number ? (long)time : null;
    }

    public void Note(ReadOnlySpan<byte> id, long now)
    {
        ulong number = SessionId.NumberOf(id);
        ref var entry = ref _entries[number % Size];
        Volatile.Write(ref entry.Mark, number ^ (ulong)now);
        Volatile.Write(ref entry.Time, (ulong)now);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public ulong Mark;
        public ulong Time;
    }
}
