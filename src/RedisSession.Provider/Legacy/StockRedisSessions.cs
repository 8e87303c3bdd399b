using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>The legacy sessions of AddSession in RedisCache, over the sessions' connection. As always, primary only.</summary>
/// <remarks>
/// <code>
/// key     {InstanceName}{session key}
/// fields  data     the blob; RedisCache's other fields and the TTL are left to it
///         taken    ours: the generation of the hash that replaces it, "ended" or "unreadable"
/// </code>
/// The mark is a field of the blob's own hash, because old instances may still write the blob: RedisCache sets its own fields and leaves
/// others alone, so the mark survives those writes and they are not taken over.
/// </remarks>
internal sealed class StockRedisSessions(RedisConnection connection, string instanceName) : IStockSessions
{
    public const string Taken = "taken";
    public const string Ended = "ended";
    private const string Unreadable = "unreadable";

    private static readonly RedisValue[] Fields = [CacheEntry.Data, Taken];

    public async Task<FoundLeft> FindAsync(string sessionKey, Waiting waiting)
    {
        try
        {
            var key = KeyOf(sessionKey);
            var reply = Sending.Try(
                Database, key, (Database, key), static it => it.Database.HashGetAsync(it.key, Fields, CommandFlags.DemandMaster));
            var found = await waiting.ForAsync(reply).ConfigureAwait(false);
            bool isMarked = !found[1].IsNull;
            return new(isMarked ? null : (byte[]?)found[0], isMarked && found[1] != Ended && found[1] != Unreadable);
        }
        catch (RedisServerException error) when (error.Kind == RedisErrorKind.WrongType)
        {
            return new([], MayBeTaken: false); // not a blob; belongs to other code
        }
    }

    public async Task<bool> MarkAsync(string sessionKey, string generation, Waiting waiting) =>
        (int)await LeftScripts.Mark.RunAsync(Database, KeyOf(sessionKey), [generation], waiting).ConfigureAwait(false) == 1;

    public Task PassOverAsync(string sessionKey, Waiting waiting) => MarkAsync(sessionKey, Unreadable, waiting);

    public async Task<bool> EndAsync(string sessionKey, Waiting waiting) =>
        (int)await LeftScripts.End.RunAsync(Database, KeyOf(sessionKey), [], waiting).ConfigureAwait(false) == 1;

    // A session looks for its blob only after it has asked for its hash, so the connection is open.
    private IDatabase Database => connection.OpenDatabase!;

    private RedisKey KeyOf(string sessionKey) => instanceName + sessionKey;
}
