namespace RedisSession.Provider.Benchmarks;

/// <summary>What one session takes in Redis.</summary>
/// <param name="Bytes">By MEMORY USAGE: key, values and what Redis itself needs for them.</param>
/// <param name="Encoding">By OBJECT ENCODING: <c>listpack</c> is the compact form, <c>hashtable</c> the other one.</param>
internal sealed record SessionMemory(long Bytes, string Encoding)
{
    // Before Redis 7 it was called ziplist.
    public bool IsCompact => Encoding is "listpack" or "ziplist";
}
