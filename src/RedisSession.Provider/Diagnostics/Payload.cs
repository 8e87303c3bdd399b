using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>How many bytes were sent or received, without protocol overhead.</summary>
internal static class Payload
{
    public static long Of(RedisValue[] values)
    {
        long bytes = 0;
        foreach (var value in values) bytes += value.GetLongByteCount();
        return bytes;
    }

    public static long Of(HashEntry[] entries)
    {
        long bytes = 0;
        foreach (var entry in entries) bytes += entry.Name.GetLongByteCount() + entry.Value.GetLongByteCount();
        return bytes;
    }
}
