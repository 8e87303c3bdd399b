using System.Runtime.InteropServices;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// Which sessions this process has kept listed lately, which life of each, and for which user: for those, nothing needs to be sent. A
/// lock-free table of fixed size, in which sessions evict each other; an evicted one is kept listed once more.
/// </summary>
/// <remarks>
/// <code>
/// entry   mark    the session: <see cref="SessionId.NumberOf"/>, XORed with what follows
///         life    the generation
///         note    32 bits of a hash of the user (0: none), 32 bits of the time in milliseconds
/// </code>
/// A reader can race a writer in an entry: mismatched parts give a mark that no session has.
/// </remarks>
internal sealed class ListedSessions
{
    // A megabyte and a half. A site whose idle timeout is 20 minutes overflows it with 400 different sessions a second.
    private const int Size = 1 << 16;

    private readonly Entry[] _entries = new Entry[Size];

    /// <summary>
    /// Milliseconds since the session was last kept listed for <paramref name="user"/>; null if unknown. A request that does not know its
    /// user (null) accepts any; one that has not seen the session's generation (null) accepts any generation.
    /// </summary>
    public long? AgeOf(ReadOnlySpan<byte> id, string? user, RedisValue generation, long now)
    {
        ulong name = SessionId.NumberOf(id);
        ref var entry = ref _entries[name % Size];
        ulong note = Volatile.Read(ref entry.Note), life = Volatile.Read(ref entry.Life);
        if ((Volatile.Read(ref entry.Mark) ^ note ^ life) != name) return null;
        if (user is not null && (uint)(note >> 32) != HashOf(user)) return null;
        if (!generation.IsNull && life != LifeOf(generation)) return null;
        return (uint)now - (uint)note;
    }

    /// <summary>This life of the session was kept listed for <paramref name="user"/> at <paramref name="now"/>.</summary>
    public void Remember(ReadOnlySpan<byte> id, string? user, RedisValue generation, long now)
    {
        ulong name = SessionId.NumberOf(id), life = LifeOf(generation);
        ulong note = ((ulong)(user is null ? 0 : HashOf(user)) << 32) | (uint)now;
        ref var entry = ref _entries[name % Size];
        Volatile.Write(ref entry.Mark, name ^ note ^ life);
        Volatile.Write(ref entry.Life, life);
        Volatile.Write(ref entry.Note, note);
    }

    // Users choose their names, so the hash is keyed per process.
    private static uint HashOf(string user) => (uint)user.GetHashCode(StringComparison.Ordinal) | 1;

    private static ulong LifeOf(RedisValue generation)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        bytes.Clear();
        if (generation.GetByteCount() > bytes.Length) return (ulong)generation.ToString().GetHashCode(StringComparison.Ordinal);
        generation.CopyTo(bytes);
        return MemoryMarshal.Read<ulong>(bytes);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public ulong Mark;
        public ulong Life;
        public ulong Note;
    }
}
