using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>The sessions of an AddSession over RedisCache, on the connection of the sessions. To the primary only, as everything.</summary>
/// <remarks>
/// <code>
/// key     {InstanceName}{session key}
/// fields  data     the blob; RedisCache's other fields and the TTL are left to it
///         taken    ours: the generation of the hash that it lives on as, "ended" or "unreadable"
/// </code>
/// The mark is a field of the blob's own hash, because old instances may go on writing the blob: RedisCache sets its fields and leaves
/// others alone, so that what they write keeps the mark and is not taken over behind it.
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
            return new([], MayBeTaken: false); // somebody else's, and no blob
        }
    }

    public async Task<bool> MarkAsync(string sessionKey, string generation, Waiting waiting) =>
        (int)await LeftScripts.Mark.RunAsync(Database, KeyOf(sessionKey), [generation], waiting).ConfigureAwait(false) == 1;

    public Task PassOverAsync(string sessionKey, Waiting waiting) => MarkAsync(sessionKey, Unreadable, waiting);

    public async Task<bool> EndAsync(string sessionKey, Waiting waiting) =>
        (int)await LeftScripts.End.RunAsync(Database, KeyOf(sessionKey), [], waiting).ConfigureAwait(false) == 1;

    // A session looks for its blob when it has asked for its hash: there is a connection.
    private IDatabase Database => connection.OpenDatabase!;

    private RedisKey KeyOf(string sessionKey) => instanceName + sessionKey;
}
