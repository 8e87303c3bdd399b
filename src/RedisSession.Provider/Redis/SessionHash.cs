using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// The hash of one session in Redis: the only code that sends commands about it. Every member sends at once and returns the
/// reply's own task, so that a caller who must block waits for the reply and for nothing else.
/// </summary>
/// <remarks>
/// Everything goes to the primary. Left to itself, the client asks a replica when the primary is unavailable, and data that the replica
/// lacks would look like an ended session.
/// </remarks>
internal readonly struct SessionHash(IDatabase database, RedisKey key)
{
    private static readonly RedisValue GenerationField = SessionHashLayout.Generation;

    // If a session is just beginning, look again; but not for ever.
    private const int LooksAtOne = 3;

    private static readonly Func<(IDatabase Database, RedisKey Key, RedisValue[] Fields), Task<RedisValue[]>> ReadFields =
        static it => it.Database.HashGetAsync(it.Key, it.Fields, CommandFlags.DemandMaster);

    private static readonly Func<(IDatabase Database, RedisKey Key), Task<HashEntry[]>> ReadAllFields =
        static it => it.Database.HashGetAllAsync(it.Key, CommandFlags.DemandMaster);

    private static readonly RedisValue[] FieldsOfOurs =
        [
            SessionHashLayout.Generation, SessionHashLayout.User, SessionHashLayout.Created, SessionHashLayout.Automatic, SessionHashLayout.Lock,
        ];

    /// <summary>True while the connection to the server that holds this hash is up, as far as the client knows. Sends nothing.</summary>
    public bool IsConnected => database.IsConnected(key, CommandFlags.DemandMaster);

    /// <summary>The generation, then the value of each of <paramref name="keys"/>: one HMGET.</summary>
    public Task<RedisValue[]> ReadAsync(params ReadOnlySpan<string> keys) =>
        Sending.Try(database, key, (database, key, FieldsOf(keys)), ReadFields);

    /// <summary>The same: see <see cref="Sending.Directly"/>.</summary>
    public Task<RedisValue[]> ReadDirectlyAsync(params ReadOnlySpan<string> keys) =>
        Sending.Directly(database, key, (database, key, FieldsOf(keys)), ReadFields);

    /// <summary>Sends it again: see <see cref="Sending.Again"/>.</summary>
    public Task<RedisValue[]>? ReadAgainAsync(string[] keys, Task<RedisValue[]> failed) =>
        Sending.Again(database, key, (database, key, FieldsOf(keys)), ReadFields, failed);

    /// <summary>All fields, ours included: one HGETALL.</summary>
    public Task<HashEntry[]> ReadAllAsync() => Sending.Try(database, key, (database, key), ReadAllFields);

    /// <inheritdoc cref="ReadDirectlyAsync"/>
    public Task<HashEntry[]> ReadAllDirectlyAsync() => Sending.Directly(database, key, (database, key), ReadAllFields);

    /// <inheritdoc cref="ReadAgainAsync"/>
    public Task<HashEntry[]>? ReadAllAgainAsync(Task<HashEntry[]> failed) =>
        Sending.Again(database, key, (database, key), ReadAllFields, failed);

    /// <summary>
    /// When each of <paramref name="keys"/> expires by itself, in unix milliseconds; not positive when it does not. One HPEXPIRETIME, which
    /// servers before Redis 7.4 and Valkey 9 refuse.
    /// </summary>
    public Task<long[]> ReadExpiriesAsync(IReadOnlyList<string> keys) => Sending.Try(
        database,
        key,
        (database, key, fields: keys.Select(name => (RedisValue)SessionHashLayout.FieldOf(name)).ToArray()),
        static it => it.database.HashFieldGetExpireDateTimeAsync(it.key, it.fields, CommandFlags.DemandMaster));

    /// <summary>
    /// Resets the session to its full idle timeout; false if there is none. A PEXPIRE; with an absolute timeout, and on Garnet, a script.
    /// </summary>
    public Task<bool> RefreshAsync(SessionExpiry expiry, bool isGarnet) => expiry.Absolute == 0 && !isGarnet
        ? Sending.Try(
            database,
            key,
            (database, key, idle: TimeSpan.FromMilliseconds(expiry.Idle)),
            static it => it.database.KeyExpireAsync(it.key, it.idle, ExpireWhen.Always, CommandFlags.DemandMaster))
        : RefreshByScriptAsync(database, key, expiry);

    /// <summary>
    /// Everything known about the session, whoever created it; null if there is none, or its key holds something other than a hash. HMGET,
    /// PTTL, MEMORY USAGE and HLEN, pipelined; then HGETALL if the session is not one of ours.
    /// </summary>
    public async Task<SessionDetails?> DescribeAsync()
    {
        for (int look = 0; look < LooksAtOne; look++)
        {
            var details = await LookAsync().ConfigureAwait(false);
            if (details is not { Generation: null }) return details;

            // Another program created it, or it began or ended between the commands. HGETALL reads a single moment.
            var fields = await ReadAllAsync().ConfigureAwait(false);
            if (fields.Length == 0) return null;
            if (!fields.Any(field => field.Name == GenerationField)) return details;
        }

        return null;
    }

    private async Task<SessionDetails?> LookAsync()
    {
        var fields = Sending.Try(
            database, key, (database, key), static it => it.database.HashGetAsync(it.key, FieldsOfOurs, CommandFlags.DemandMaster));
        var left = Sending.Try(
            database, key, (database, key), static it => it.database.KeyTimeToLiveAsync(it.key, CommandFlags.DemandMaster));
        var size = SizeQuestion.AskAsync(database, key);
        var length = Sending.Try(
            database, key, (database, key), static it => it.database.HashLengthAsync(it.key, CommandFlags.DemandMaster));
        await Task.WhenAll(fields, left, size, length).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        RedisValue[] ours;
        try
        {
            ours = await fields.ConfigureAwait(false);
        }
        catch (RedisServerException error) when (error.Kind == RedisErrorKind.WrongType)
        {
            return null;
        }

        string? generation = ours[0];
        if (generation is not null && Tombstone.Is(generation)) return null;
        long count = await length.ConfigureAwait(false);
        if (count == 0) return null; // there is none, or it has ended between the commands
        return new(
            generation,
            (string?)ours[1] is { Length: > 0 } user ? user : null,
            ours[2].TryParse(out long created) ? created : null,
            LockScripts.HeldSince(ours[4]),
            await left.ConfigureAwait(false),
            count - ours.Count(value => !value.IsNull),
            await size.ConfigureAwait(false));
    }

    /// <summary>WAIT: how many replicas have all that this connection has written to the hash's server so far.</summary>
    public Task<RedisResult> WaitForReplicasAsync(int replicas, TimeSpan timeout) =>
        database.Multiplexer.GetServer(key, flags: CommandFlags.DemandMaster)
            .ExecuteAsync("WAIT", replicas, (long)timeout.TotalMilliseconds);

    /// <summary>
    /// Creates the session from <paramref name="values"/>, unless there is one: see <see cref="TakeOverScripts.Create"/>.
    /// </summary>
    public Task<RedisResult> CreateAsync(
        IReadOnlyCollection<KeyValuePair<string, RedisValue>> values, string generation, SessionExpiry expiry, Waiting waiting)
    {
        var arguments = new List<RedisValue>(3 + (2 * values.Count)) { expiry.Idle, expiry.Absolute, generation };
        foreach (var (sessionKey, value) in values) arguments.AddRange([SessionHashLayout.FieldOf(sessionKey), value]);
        return TakeOverScripts.Create.RunAsync(database, key, arguments.ToArray(), waiting);
    }

    /// <summary>Removes the session if its generation is still <paramref name="generation"/>.</summary>
    public Task<RedisResult> DeleteAsync(string generation, Waiting waiting) =>
        TakeOverScripts.Delete.RunAsync(database, key, [generation], waiting);

    /// <summary>Returns the session's owner, and binds it to <paramref name="user"/> unless another user has a better claim.</summary>
    /// <param name="user">The request's user, or null.</param>
    /// <param name="generationSeen">The generation that the request has seen; null if none yet. Evaluated on each send.</param>
    /// <param name="expiry">The session's timeouts.</param>
    public async Task<BindReply?> BindAsync(string? user, Func<RedisValue> generationSeen, SessionExpiry expiry)
    {
        var arguments = new ScriptArguments(() =>
            [RedisScript.OrEmpty(user), RedisScript.OrEmpty(generationSeen()), expiry.Idle, expiry.Absolute]);
        return BindReply.Parse(await UserScripts.Bind.RunAsync(database, [key], arguments).ConfigureAwait(false));
    }

    /// <summary>The user's name; null if the session has no owner, or there is none.</summary>
    public Task<RedisValue> ReadUserAsync() => Sending.Try(
        database, key, (database, key), static it => it.database.HashGetAsync(it.key, SessionHashLayout.User, CommandFlags.DemandMaster));

    /// <summary>
    /// Ends the session; if <paramref name="onlyOf"/> is given, only if it is that user's. Returns the user's name, or empty; null if there
    /// was nothing to end. Also removes a key that is not a hash, unless <paramref name="onlyHash"/>. Two scripts if the key was renewed.
    /// </summary>
    public async Task<string?> EndAsync(string? onlyOf = null, bool onlyHash = false)
    {
        RedisValue[] arguments = [RedisScript.OrEmpty(onlyOf), onlyHash ? "1" : RedisValue.EmptyString];
        var reply = await UserScripts.End.RunAsync(database, key, arguments).ConfigureAwait(false);
        if (!IsRenewed(reply)) return (string?)reply;
        reply = await UserScripts.End.RunAsync(database, SessionHashLayout.WithParked(key), arguments).ConfigureAwait(false);
        return IsRenewed(reply) ? null : (string?)reply; // not one of ours: nothing is parked

        static bool IsRenewed(RedisResult reply) => reply.Resp2Type == ResultType.Integer;
    }

    private static RedisValue[] FieldsOf(ReadOnlySpan<string> keys)
    {
        var fields = new RedisValue[keys.Length + 1];
        fields[0] = GenerationField;
        for (int i = 0; i < keys.Length; i++) fields[i + 1] = SessionHashLayout.FieldOf(keys[i]);
        return fields;
    }

    private static async Task<bool> RefreshByScriptAsync(IDatabase database, RedisKey key, SessionExpiry expiry) =>
        (int)await SessionScripts.Refresh.RunAsync(database, key, [expiry.Idle, expiry.Absolute]).ConfigureAwait(false) == 1;
}
