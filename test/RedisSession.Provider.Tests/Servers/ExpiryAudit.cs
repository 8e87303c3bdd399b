using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>Looks for session keys that would stay in the server for ever.</summary>
internal static class ExpiryAudit
{
    /// <summary>The keys of every session that the provider writes, whatever the prefix of the application.</summary>
    public const string SessionKeys = "*sessions:*";

    // PTTL's answer for a key without expiry. One that has gone meanwhile gives another, which is what tells them apart.
    private const long NoExpiry = -1;

    /// <summary>Walks all databases of the server.</summary>
    public static async Task<IReadOnlyList<string>> KeysWithoutExpiryAsync(IConnectionMultiplexer multiplexer, string pattern)
    {
        var found = new List<string>();
        var server = multiplexer.GetServers().Single();
        for (var number = 0; number < server.DatabaseCount; number++)
        {
            var database = multiplexer.GetDatabase(number);
            await foreach (var key in server.KeysAsync(number, pattern, pageSize: 1000))
            {
                if ((long)await database.ExecuteAsync("PTTL", key) == NoExpiry)
                    found.Add($"{key} in database {number}");
            }
        }

        return found;
    }
}
