using System.Runtime.InteropServices;
using System.Text;

namespace RedisSession.Provider;

/// <summary>
/// Which sessions this process has looked after lately, and for which user: what is known here needs nothing sent. A table of fixed size,
/// in which sessions push each other out; what it has forgotten is looked after once more. Without locks.
/// </summary>
/// <remarks>
/// <code>
/// entry   mark    the session: a hash of its id, XORed with what follows
///         note    32 bits of a hash of the user (0: none), 32 bits of the time in milliseconds
/// </code>
/// Writer and reader can meet in an entry: two halves that do not belong together give a mark that no session has.
/// </remarks>
internal sealed class ListedSessions
{
    // A megabyte. A site whose idle timeout is 20 minutes overflows it with 400 different sessions a second.
    private const int Size = 1 << 16;

    private readonly Entry[] _entries = new Entry[Size];

    /// <summary>
    /// How many milliseconds ago the session was looked after for <paramref name="user"/>; null when that is not known. A request that
    /// does not know its user (null) is content with any.
    /// </summary>
    public long? AgeOf(ReadOnlySpan<byte> id, string? user, long now)
    {
        ulong hash = HashOf(id);
        ref var entry = ref _entries[hash % Size];
        ulong note = Volatile.Read(ref entry.Note);
        if ((Volatile.Read(ref entry.Mark) ^ note) != hash) return null;
        if (user is not null && (uint)(note >> 32) != HashOfUser(user)) return null;
        return (uint)now - (uint)note;
    }

    /// <summary>The session was looked after for <paramref name="user"/> at <paramref name="now"/>.</summary>
    public void Remember(string id, string? user, long now)
    {
        Span<byte> ascii = stackalloc byte[SessionId.Length];
        ulong hash = HashOf(ascii[..Encoding.UTF8.GetBytes(id, ascii)]);
        ulong note = ((ulong)(user is null ? 0 : HashOfUser(user)) << 32) | (uint)now;
        ref var entry = ref _entries[hash % Size];
        Volatile.Write(ref entry.Mark, hash ^ note);
        Volatile.Write(ref entry.Note, note);
    }

    // FNV-1a. An id is a digest of a secret already, so nobody can choose it to meet another.
    private static ulong HashOf(ReadOnlySpan<byte> id)
    {
        ulong hash = 14695981039346656037;
        foreach (byte character in id) hash = (hash ^ character) * 1099511628211;
        return hash | 1UL << 63; // never that of an empty entry
    }

    // Users choose their names: with a key of this process.
    private static uint HashOfUser(string user) => (uint)user.GetHashCode(StringComparison.Ordinal) | 1;

    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public ulong Mark;
        public ulong Note;
    }
}
