namespace RedisSession.Provider.Tests;

/// <summary>Looks for sessions, and for cache entries that are to expire, that would stay in the server for ever.</summary>
internal static class ExpiryAudit
{
    /// <summary>The keys of every session that the provider writes, whatever the prefix of the application.</summary>
    public const string SessionKeys = "*sessions:*";

    /// <summary>The lists of users' sessions, likewise.</summary>
    public const string UserLists = "*users:*";

    /// <summary>What is kept for those who are told of sessions' ends, likewise.</summary>
    public static readonly string[] LifecycleKeys = ["*owners:*", "*claims:*", "*lifecycle*"];

    // PTTL's answer for a key without expiry. One that has gone meanwhile gives another, which is what tells them apart.
    private const long NoExpiry = -1;

    /// <summary>Walks all databases of the server.</summary>
    public static Task<IReadOnlyList<string>> KeysWithoutExpiryAsync(IConnectionMultiplexer multiplexer, string pattern) =>
        KeysWithoutExpiryAsync(multiplexer.GetServers().Single(), pattern);

    /// <summary>Walks all databases of each of the primaries that make up a cluster, or of one that others replicate.</summary>
    public static async Task<IReadOnlyList<string>> KeysWithoutExpiryAsync(IEnumerable<ServerProcess> primaries, string pattern)
    {
        var found = new List<string>();
        foreach (var primary in primaries)
        {
            // The client knows all of a cluster; it is this server's own keys that are looked at.
            await using var multiplexer = await ConnectionMultiplexer.ConnectAsync(primary.ConfigurationString);
            found.AddRange(await KeysWithoutExpiryAsync(multiplexer.GetServer(primary.ConfigurationString), pattern));
        }

        return found;
    }

    /// <summary>
    /// Walks all databases of the server for cache entries whose own fields say that they expire. One that says that it does not is right
    /// without a TTL.
    /// </summary>
    public static Task<IReadOnlyList<string>> CacheEntriesWithoutExpiryAsync(IConnectionMultiplexer multiplexer, string pattern = "*") =>
        KeysWithoutExpiryAsync(multiplexer.GetServers().Single(), pattern, IsToExpireAsync);

    private static async Task<bool> IsToExpireAsync(IDatabase database, RedisKey key)
    {
        if (await database.KeyTypeAsync(key) != RedisType.Hash) return false;
        var fields = await database.HashGetAsync(key, ["absexp", "sldexp"]);
        return fields.Any(ticks => !ticks.IsNull && ticks != "-1");
    }

    private static async Task<IReadOnlyList<string>> KeysWithoutExpiryAsync(
        IServer server, string pattern, Func<IDatabase, RedisKey, Task<bool>>? counts = null)
    {
        var found = new List<string>();
        // In a cluster Redis 7 says 16, too, and has one.
        var databases = server.ServerType == ServerType.Cluster ? 1 : server.DatabaseCount;
        for (var number = 0; number < databases; number++)
        {
            var database = server.Multiplexer.GetDatabase(number);
            await foreach (var key in server.KeysAsync(number, pattern, pageSize: 1000))
            {
                if ((long)await database.ExecuteAsync("PTTL", key) == NoExpiry && (counts is null || await counts(database, key)))
                    found.Add($"{key} in database {number}");
            }
        }

        return found;
    }
}
