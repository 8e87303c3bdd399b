namespace RedisSession.Provider.Tests;

/// <summary>What is left of sessions whose key was renewed.</summary>
internal static class RenewedSessions
{
    /// <summary>There is no session; where its key was renewed, nothing but that is left.</summary>
    public static async Task<bool> HasNoSessionAsync(this IDatabase redis, RedisKey key)
    {
        var fields = await redis.HashGetAllAsync(key);
        return fields.All(field => field.Name == "@gen" && Tombstone.Is(field.Value));
    }
}
