using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>Sessions that tests make by hand.</summary>
internal static class MadeSessions
{
    /// <summary>There is no session; where its key was renewed, nothing but that is left.</summary>
    public static async Task<bool> HasNoSessionAsync(this IDatabase redis, RedisKey key)
    {
        var fields = await redis.HashGetAllAsync(key);
        return fields.All(field => field.Name == "@gen" && Tombstone.Is(field.Value));
    }

    /// <summary>A hash with these fields, which lives for ten minutes.</summary>
    public static Task MakeSessionAsync(this IDatabase redis, RedisKey key, params HashEntry[] fields)
    {
        var transaction = redis.CreateTransaction();
        _ = transaction.HashSetAsync(key, fields);
        _ = transaction.KeyExpireAsync(key, TimeSpan.FromMinutes(10));
        return transaction.ExecuteAsync();
    }
}
