using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// The hash of one session in Redis: the only code that sends commands about it. Every member sends at once and returns the
/// reply's own task, so that a caller who must block waits for the reply and for nothing else.
/// </summary>
/// <remarks>
/// Everything goes to the primary. Left to itself the client asks a replica when the primary is away, and what a replica does not have yet
/// would look like a session that has ended.
/// </remarks>
internal readonly struct SessionHash(IDatabase database, RedisKey key)
{
    private static readonly RedisValue GenerationField = SessionHashLayout.Generation;

    // Who meets a session that begins looks again; nobody does so for ever.
    private const int LooksAtOne = 3;

    private static readonly Func<(IDatabase Database, RedisKey Key, RedisValue[] Fields), Task<RedisValue[]>> ReadFields =
        static it => it.Database.HashGetAsync(it.Key, it.Fields, CommandFlags.DemandMaster);

    private static readonly Func<(IDatabase Database, RedisKey Key), Task<HashEntry[]>> ReadAllFields =
        static it => it.Database.HashGetAllAsync(it.Key, CommandFlags.DemandMaster);

    private static readonly RedisValue[] FieldsOfOurs =
        [
            SessionHashLayout.Generation, SessionHashLayout.User, SessionHashLayout.Created, SessionHashLayout.Automatic, SessionHashLayout.Lock,
        ];

    /// <summary>True while the connection to the server that holds this hash is up. Asks nobody: what the client knows.</summary>
    public bool IsConnected => database.IsConnected(key, CommandFlags.DemandMaster);

    /// <summary>The generation, then the value of each of <paramref name="keys"/>: one HMGET.</summary>
    public Task<RedisValue[]> ReadAsync(params ReadOnlySpan<string> keys) =>
        Sending.Try(database, key, (database, key, FieldsOf(keys)), ReadFields);

    /// <summary>The same: see <see cref="Sending.Directly"/>.</summary>
    public Task<RedisValue[]> ReadDirectlyAsync(params ReadOnlySpan<string> keys) =>
        Sending.Directly(database, key, (database, key, FieldsOf(keys)), ReadFields);

    /// <summary>The same once more: see <see cref="Sending.Again"/>.</summary>
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
    /// Gives the session its full idle timeout again: false when there is none. A PEXPIRE; where there is an absolute timeout, and on
    /// Garnet, a script.
    /// </summary>
    public Task<bool> RefreshAsync(SessionExpiry expiry, bool isGarnet) => expiry.Absolute == 0 && !isGarnet
        ? Sending.Try(
            database,
            key,
            (database, key, idle: TimeSpan.FromMilliseconds(expiry.Idle)),
            static it => it.database.KeyExpireAsync(it.key, it.idle, ExpireWhen.Always, CommandFlags.DemandMaster))
        : RefreshByScriptAsync(database, key, expiry);

    /// <summary>
    /// What there is to know about the session, whoever has made it; null when there is none, or something else than a hash under its key.
    /// HMGET, PTTL, MEMORY USAGE and HLEN in one flight; and HGETALL after it where the session is none of ours.
    /// </summary>
    public async Task<SessionDetails?> DescribeAsync()
    {
        for (int look = 0; look < LooksAtOne; look++)
        {
            var details = await LookAsync().ConfigureAwait(false);
            if (details is not { Generation: null }) return details;

            // Another program has made it; or it began or ended between the commands. This one is of one moment.
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

    /// <summary>Makes the session of <paramref name="values"/>, unless there is one: see <see cref="TakeOverScripts.Create"/>.</summary>
    public Task<RedisResult> CreateAsync(
        IReadOnlyCollection<KeyValuePair<string, RedisValue>> values, string generation, SessionExpiry expiry, Waiting waiting)
    {
        var arguments = new List<RedisValue>(3 + (2 * values.Count)) { expiry.Idle, expiry.Absolute, generation };
        foreach (var (sessionKey, value) in values) arguments.AddRange([SessionHashLayout.FieldOf(sessionKey), value]);
        return TakeOverScripts.Create.RunAsync(database, key, arguments.ToArray(), waiting);
    }

    /// <summary>Removes the session if it is still the one of <paramref name="generation"/>.</summary>
    public Task<RedisResult> DeleteAsync(string generation, Waiting waiting) =>
        TakeOverScripts.Delete.RunAsync(database, key, [generation], waiting);

    /// <summary>Whose session it is, and that it is <paramref name="user"/>'s where nobody has a better claim.</summary>
    /// <param name="user">The request's user, or null.</param>
    /// <param name="generationSeen">Which life of the session the request has seen; null: none yet. Asked at each sending.</param>
    /// <param name="expiry">The session's timeouts.</param>
    public async Task<BindReply?> BindAsync(string? user, Func<RedisValue> generationSeen, SessionExpiry expiry)
    {
        var arguments = new ScriptArguments(() =>
            [RedisScript.OrEmpty(user), RedisScript.OrEmpty(generationSeen()), expiry.Idle, expiry.Absolute]);
        return BindReply.Parse(await UserScripts.Bind.RunAsync(database, [key], arguments).ConfigureAwait(false));
    }

    /// <summary>The user's name; null when it is nobody's session, or there is none.</summary>
    public Task<RedisValue> ReadUserAsync() => Sending.Try(
        database, key, (database, key), static it => it.database.HashGetAsync(it.key, SessionHashLayout.User, CommandFlags.DemandMaster));

    /// <summary>
    /// Ends the session, where <paramref name="onlyOf"/> is given only if it is that user's: the user's name, or empty; null when there was
    /// nothing to end. What is no hash goes too, unless <paramref name="onlyHash"/>.
    /// </summary>
    public async Task<string?> EndAsync(string? onlyOf = null, bool onlyHash = false) => (string?)await UserScripts.End
        .RunAsync(database, SessionHashLayout.WithParked(key), [RedisScript.OrEmpty(onlyOf), onlyHash ? "1" : RedisValue.EmptyString])
        .ConfigureAwait(false);

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
