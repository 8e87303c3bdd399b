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

    private static readonly RedisValue[] FieldsOfOurs =
        [SessionHashLayout.Generation, SessionHashLayout.User, SessionHashLayout.Created, SessionHashLayout.Automatic];

    /// <summary>True while the connection to the server that holds this hash is up. Asks nobody: what the client knows.</summary>
    public bool IsConnected => database.IsConnected(key, CommandFlags.DemandMaster);

    /// <summary>The generation, then the value of each of <paramref name="keys"/>: one HMGET.</summary>
    public Task<RedisValue[]> ReadAsync(params ReadOnlySpan<string> keys)
    {
        var fields = new RedisValue[keys.Length + 1];
        fields[0] = GenerationField;
        for (int i = 0; i < keys.Length; i++) fields[i + 1] = SessionHashLayout.FieldOf(keys[i]);
        return Sending.Try(database, key, (database, key, fields), static it => it.database.HashGetAsync(it.key, it.fields, CommandFlags.DemandMaster));
    }

    /// <summary>All fields, ours included: one HGETALL.</summary>
    public Task<HashEntry[]> ReadAllAsync() =>
        Sending.Try(database, key, (database, key), static it => it.database.HashGetAllAsync(it.key, CommandFlags.DemandMaster));

    /// <summary>
    /// Gives the session its full idle timeout again, in the flight of whatever is sent next: nobody needs to wait. A PEXPIRE to which no
    /// reply is kept, so the task is done at once; where there is an absolute timeout, and on Garnet, a script.
    /// </summary>
    public Task RenewAsync(SessionExpiry expiry, bool isGarnet) => expiry.Absolute == 0 && !isGarnet
        ? Sending.Try(
            database,
            key,
            (database, key, idle: TimeSpan.FromMilliseconds(expiry.Idle)),
            static it => it.database.KeyExpireAsync(
                it.key, it.idle, ExpireWhen.Always, CommandFlags.FireAndForget | CommandFlags.DemandMaster))
        : SessionScripts.Renew.RunAsync(database, key, [expiry.Idle, expiry.Absolute]);

    /// <summary>The same for whoever asks whether there is such a session: false when there is none.</summary>
    public async Task<bool> TryRenewAsync(SessionExpiry expiry, bool isGarnet)
    {
        if (expiry.Absolute != 0 || isGarnet)
        {
            return (int)await SessionScripts.Renew.RunAsync(database, key, [expiry.Idle, expiry.Absolute]).ConfigureAwait(false) == 1;
        }

        var idle = TimeSpan.FromMilliseconds(expiry.Idle);
        return await Sending.Try(
            database,
            key,
            (database, key, idle),
            static it => it.database.KeyExpireAsync(it.key, it.idle, ExpireWhen.Always, CommandFlags.DemandMaster)).ConfigureAwait(false);
    }

    /// <summary>
    /// What there is to know about the session; null when there is none, or something else under its key. HMGET, PTTL, MEMORY USAGE and
    /// HLEN in one flight.
    /// </summary>
    public async Task<SessionDetails?> DescribeAsync()
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

        if ((string?)ours[0] is not { } generation) return null;
        long count = await length.ConfigureAwait(false);
        if (count == 0) return null; // it has ended between the commands
        return new(
            generation,
            (string?)ours[1] is { Length: > 0 } user ? user : null,
            ours[2].TryParse(out long created) ? created : null,
            await left.ConfigureAwait(false),
            count - ours.Count(value => !value.IsNull),
            await size.ConfigureAwait(false));
    }

    /// <summary>Sends the change script by its hash. The reply is for <see cref="ChangeReply.Parse"/>.</summary>
    public Task<RedisResult> ChangeAsync(RedisValue[] arguments) => SessionScripts.Change.SendAsync(database, key, arguments);

    /// <summary>The same by its text, for a server that does not have the script.</summary>
    public Task<RedisResult> ChangeByTextAsync(RedisValue[] arguments) => SessionScripts.Change.SendTextAsync(database, key, arguments);

    /// <summary>Runs one of <see cref="FieldScripts"/>.</summary>
    public Task<RedisResult> ChangeFieldAsync(
        RedisScript script,
        SessionExpiry expiry,
        RedisValue generationSeen,
        RedisValue newGeneration,
        string sessionKey,
        RedisValue[] operands) =>
        script.RunAsync(database, key,
        [
            expiry.Idle,
            expiry.Absolute,
            RedisScript.OrEmpty(generationSeen),
            newGeneration,
            SessionHashLayout.FieldOf(sessionKey),
            .. operands,
        ]);

    /// <summary>WAIT: how many replicas have all that this connection has written to the hash's server so far.</summary>
    public Task<RedisResult> WaitForReplicasAsync(int replicas, TimeSpan timeout) =>
        database.Multiplexer.GetServer(key, flags: CommandFlags.DemandMaster)
            .ExecuteAsync("WAIT", replicas, (long)timeout.TotalMilliseconds);

    /// <summary>Everything, at one moment. The reply is for <see cref="SessionCopy.Parse"/>.</summary>
    public Task<RedisResult> CopyAsync(RedisValue generationSeen) =>
        MoveScripts.Copy.RunAsync(database, key, [RedisScript.OrEmpty(generationSeen)]);

    /// <summary>Puts <paramref name="fields"/> here, in the place of what there is; answers how many milliseconds are left.</summary>
    public Task<RedisResult> PasteAsync(IReadOnlyList<SessionCopy.Field> fields, SessionExpiry expiry)
    {
        var arguments = new List<RedisValue>(3 + (2 * fields.Count)) { expiry.Idle, expiry.Absolute, fields.Count };
        foreach (var field in fields) arguments.AddRange([field.Name, field.Value]);
        foreach (var field in fields.Where(field => field.ExpiresAt > 0)) arguments.AddRange([field.Name, field.ExpiresAt]);
        return MoveScripts.Paste.RunAsync(database, key, arguments.ToArray());
    }

    /// <summary>Removes the session if it is still the one that was copied: 1; 0 when it has changed, null when it has ended.</summary>
    public Task<RedisResult> DeleteIfUnchangedAsync(RedisValue generationSeen, string digest) =>
        MoveScripts.DeleteIfUnchanged.RunAsync(database, key, [RedisScript.OrEmpty(generationSeen), digest]);

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
    public async Task<BindReply?> BindAsync(string? user, string? generationSeen, SessionExpiry expiry)
    {
        RedisValue[] arguments =
            [RedisScript.OrEmpty(user), RedisScript.OrEmpty(generationSeen), expiry.Idle, expiry.Absolute];
        return BindReply.Parse(await UserScripts.Bind.RunAsync(database, key, arguments).ConfigureAwait(false));
    }

    /// <summary>The user's name; null when it is nobody's session, or there is none.</summary>
    public Task<RedisValue> ReadUserAsync() => Sending.Try(
        database, key, (database, key), static it => it.database.HashGetAsync(it.key, SessionHashLayout.User, CommandFlags.DemandMaster));

    /// <summary>
    /// Ends the session, where <paramref name="onlyOf"/> is given only if it is that user's: the user's name, or empty; null when there was
    /// nothing to end.
    /// </summary>
    public async Task<string?> EndAsync(string? onlyOf = null) =>
        (string?)await UserScripts.End.RunAsync(database, key, [RedisScript.OrEmpty(onlyOf)]).ConfigureAwait(false);

    /// <summary>Removes the session, whatever it is.</summary>
    public Task<bool> DeleteAsync(CommandFlags flags = CommandFlags.None) =>
        Sending.Try(database, key, (database, key, flags), static it => it.database.KeyDeleteAsync(it.key, it.flags | CommandFlags.DemandMaster));
}
