namespace RedisSession.Provider.Tests;

/// <summary>Sessions that tests make by hand.</summary>
internal static class MadeSessions
{
    /// <summary>A hash with these fields, which lives for a day: longer than the tests run.</summary>
    public static Task MakeSessionAsync(this IDatabase redis, RedisKey key, params HashEntry[] fields)
    {
        var transaction = redis.CreateTransaction();
        _ = transaction.HashSetAsync(key, fields);
        _ = transaction.KeyExpireAsync(key, TimeSpan.FromDays(1));
        return transaction.ExecuteAsync();
    }
}
