using System.Text;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>All keys and values of a session at one moment, plus what this request has written since.</summary>
/// <remarks>
/// The fields are kept as received, and searched: most requests read one key or a few, and turning all into strings and a dictionary would
/// cost more than the searches. A request that reads many of many gets an index.
/// </remarks>
internal sealed class SessionSnapshot
{
    // An index costs about three comparisons per field, and garbage besides: ten keys of a dozen are better searched.
    private const int SearchesBeforeIndex = 3;
    private const int ComparisonsBeforeIndex = 500;

    private readonly HashEntry[] _fields;
    private SessionChanges? _own;
    private Dictionary<string, byte[]>? _index;
    private int _searches;

    private SessionSnapshot(HashEntry[] fields) => _fields = fields;

    public static SessionSnapshot Empty() => new([]);

    /// <summary>
    /// When it was taken ahead, on the guess that a synchronous read follows at once; 0 if it was asked for, or a read has followed.
    /// </summary>
    public long AheadSince { get; set; }

    public int Count => Keys.Count();

    public IEnumerable<string> Keys
    {
        get
        {
            var keys = _fields.Select(entry => SessionHashLayout.SessionKeyOf(entry.Name)).OfType<string>();
            return _own is null ? keys : _own.Overlay(keys);
        }
    }

    /// <summary>
    /// Reads a whole hash; <paramref name="generation"/> is null if there is none, or one that was made by hand. Values that
    /// <paramref name="protector"/> cannot decrypt are absent.
    /// </summary>
    public static SessionSnapshot Parse(HashEntry[] hash, ValueProtector? protector, out RedisValue generation)
    {
        generation = Search(hash, "@gen"u8) is { } found ? hash[found].Value : RedisValue.Null;
        return new(protector is null ? hash : Unprotect(hash, protector));
    }

    public byte[]? Find(string key)
    {
        if (_own is not null && _own.Decides(key, out var own)) return own;
        if (_index is not null) return _index.GetValueOrDefault(key);
        if (_searches++ >= SearchesBeforeIndex && _searches * _fields.Length > ComparisonsBeforeIndex) _index = Index();
        return Search(key) is { } found ? ValueOf(_fields[found]) : null;
    }

    /// <summary>Adds what this request has written since; do not use <paramref name="changes"/> afterwards.</summary>
    public void Apply(SessionChanges changes) => _own = SessionChanges.Merge(_own, changes);

    private int? Search(string key)
    {
        string field = SessionHashLayout.FieldOf(key);
        int length = Encoding.UTF8.GetMaxByteCount(field.Length);
        Span<byte> buffer = length <= 512 ? stackalloc byte[512] : new byte[length];
        return Search(_fields, buffer[..Encoding.UTF8.GetBytes(field, buffer)]);
    }

    private static int? Search(HashEntry[] fields, ReadOnlySpan<byte> name)
    {
        for (int i = 0; i < fields.Length; i++)
        {
            // Not RedisValue's own equality: there "01" equals 1.
            var candidate = fields[i].Name;
            if (candidate.GetByteCount() == name.Length && candidate.StartsWith(name)) return i;
        }

        return null;
    }

    private Dictionary<string, byte[]> Index()
    {
        var index = new Dictionary<string, byte[]>(_fields.Length, StringComparer.Ordinal);
        foreach (var field in _fields)
        {
            if (SessionHashLayout.SessionKeyOf(field.Name) is { } key) index[key] = ValueOf(field);
        }

        return index;
    }

    private static byte[] ValueOf(HashEntry field) => (byte[]?)field.Value ?? [];

    private static HashEntry[] Unprotect(HashEntry[] hash, ValueProtector protector)
    {
        var readable = new List<HashEntry>(hash.Length);
        foreach (var field in hash)
        {
            if (SessionHashLayout.SessionKeyOf(field.Name) is null) continue;
            if (protector.Unprotect(ValueOf(field)) is { } value) readable.Add(new(field.Name, value));
        }

        return [.. readable];
    }
}
