using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>This file: a session that AddSession has left is taken over when a request first finds that there is no hash.</summary>
/// <remarks>
/// <para>
/// Until the request has seen the session, nothing may create it: a write says so by having no generation for a new hash. Whoever then
/// finds no hash, by whatever it asked or wrote, looks for the blob, once, and asks or writes again. So a session that has its hash costs
/// what it costs without this.
/// </para>
/// <para>
/// Several may do so at once, in one request and in many. One of them makes the hash, the others find it. Who has made it marks the blob as
/// that hash: where it has another mark by then, the session was taken over, and has ended, between this look and this write.
/// </para>
/// </remarks>
internal sealed partial class RedisHashSession
{
    private static readonly Task<bool> NothingLeft = Task.FromResult(false);

    /// <summary>There may be a blob, and this request has not seen yet whether there is a hash, or had not when it asked.</summary>
    private bool MayBeLeft(SessionSight sight) => _store.StockSessions is not null && !_isNewKey && sight.IsUnknown;

    /// <summary>What was read; where that was nothing, the same after the session has been taken over.</summary>
    private Task<RedisValue[]> OrTakenOver(
        Task<RedisValue[]> reply, SessionSight asked, SessionHash hash, params ReadOnlySpan<string> keys) =>
        MayBeLeft(asked) ? ReadOrTakeOverAsync(reply, hash, keys.ToArray()).Observed() : reply;

    private async Task<RedisValue[]> ReadOrTakeOverAsync(Task<RedisValue[]> reply, SessionHash hash, string[] keys)
    {
        var values = await reply.ConfigureAwait(false);
        return IsNothing(values) && await TakeOverAsync(hash).ConfigureAwait(false)
            ? await hash.ReadAsync(keys).ConfigureAwait(false)
            : values;
    }

    private Task<HashEntry[]> OrTakenOver(Task<HashEntry[]> reply, SessionSight asked, SessionHash hash) =>
        MayBeLeft(asked) ? LoadOrTakeOverAsync(reply, hash).Observed() : reply;

    private async Task<HashEntry[]> LoadOrTakeOverAsync(Task<HashEntry[]> reply, SessionHash hash)
    {
        var entries = await reply.ConfigureAwait(false);
        return IsNothing(entries) && await TakeOverAsync(hash).ConfigureAwait(false)
            ? await hash.ReadAllAsync().ConfigureAwait(false)
            : entries;
    }

    /// <summary>What one of <see cref="FieldScripts"/> has answered; where it found no session, what it answers now.</summary>
    private Task<RedisResult> OrTakenOver(
        Task<RedisResult> reply, SessionSight asked, SessionHash hash, RedisScript script, string key, RedisValue[] operands) =>
        MayBeLeft(asked) ? ChangeOrTakeOverAsync(reply, hash, script, key, operands) : reply;

    private async Task<RedisResult> ChangeOrTakeOverAsync(
        Task<RedisResult> reply, SessionHash hash, RedisScript script, string key, RedisValue[] operands)
    {
        var answer = await reply.ConfigureAwait(false);
        if (answer.IsNull || !((RedisValue)answer[0]).IsNullOrEmpty) return answer;
        await SettleAsync(hash).ConfigureAwait(false);
        Task<RedisResult> again;
        lock (Gate)
        {
            if (_sight.IsEnded) return RedisResult.Create(RedisValue.Null);
            again = hash.ChangeFieldAsync(script, Expiry, _sight.Generation, GenerationIfNew(), key, operands);
        }

        return await again.ConfigureAwait(false);
    }

    /// <summary>The same for a thread that waits: true when it is worth asking again.</summary>
    private bool IsTakenOverNow<T>(SessionSight asked, T reply, SessionHash hash) =>
        MayBeLeft(asked) && IsNothing(reply)
        && Begin(OperationKind.TakeOver).Wait(TakeOverAsync(hash, Waiting.Blocking(IOTimeout)), IOTimeout);

    /// <summary>True when a write was not made because there is no session yet, and may be one to take over.</summary>
    private bool WaitsForTakeover(SessionSight asked, ChangeReply answer) =>
        MayBeLeft(asked) && !answer.Ended && answer.Generation.IsNull;

    /// <summary>What the request knows of the session from now on, which is more than nothing.</summary>
    private async Task<SessionSight> SettleAsync(SessionHash hash)
    {
        if (MayBeLeft(_sight)) await TakeOverAsync(hash).ConfigureAwait(false);
        lock (Gate)
        {
            if (_sight.IsUnknown) _sight = SessionSight.Absent;
            return _sight;
        }
    }

    /// <summary>
    /// Gives a session that the request has not used its time again. AddSession would have renewed the blob: here it is taken over, since
    /// nobody else renews it.
    /// </summary>
    private async Task RenewOrTakeOverAsync(SessionHash hash)
    {
        Task<bool> renewal;
        lock (Gate)
        {
            _renewed = true;
            renewal = hash.TryRenewAsync(Expiry, _store.Connection.IsGarnet);
            KeepListed(write: null);
            _listingIsWaitedFor = false;
        }

        if (!await renewal.ConfigureAwait(false)) await TakeOverAsync(hash).ConfigureAwait(false);
    }

    /// <summary>Ends what is left of the session for instances that still use it; true if there may have been something.</summary>
    private Task<bool> EndLeftAsync() =>
        _store.StockSessions is { } left && !_isNewKey ? left.EndAsync(_sessionKey, Waiting.Asynchronously) : NothingLeft;

    /// <summary>The same behind a renewal, which is made by then whatever becomes of this.</summary>
    private async Task EndLeftOrLogAsync()
    {
        string id = Id;
        try
        {
            await EndLeftAsync().Observed().WaitAsync(IOTimeout).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            _store.Logger.StockSessionNotMarked(id, error);
        }
    }

    private Task<bool> TakeOverAsync(SessionHash hash) =>
        Begin(OperationKind.TakeOver).Follow(TakeOverAsync(hash, Waiting.Asynchronously));

    /// <summary>Looks for a blob, and makes the session of it. True when there may be a hash now, whoever has made it.</summary>
    private async Task<bool> TakeOverAsync(SessionHash hash, Waiting waiting)
    {
        var left = _store.StockSessions!;
        string sessionKey = _sessionKey;
        lock (Gate)
        {
            if (!_sight.IsUnknown) return !_sight.Generation.IsNull; // another task of the request was faster
        }

        var found = await left.FindAsync(sessionKey, waiting).ConfigureAwait(false);
        if (found.Blob is not { } blob) return found.MayBeTaken;
        if (!StockSessionBlob.TryParse(blob, out var values))
        {
            _store.Logger.StockSessionUnreadable(Id, blob.Length);
            await left.PassOverAsync(sessionKey, waiting).ConfigureAwait(false);
            return false;
        }

        string generation = SessionGeneration.Create();
        var concealed = Array.ConvertAll([.. values], entry => KeyValuePair.Create(entry.Key, Conceal(entry.Value)));
        var reply = await hash.CreateAsync(concealed, generation, Expiry, waiting).ConfigureAwait(false);
        var there = (RedisValue)reply;
        bool isOurs = there == generation;
        if (isOurs && !await IsMarkedAsync(left, sessionKey, generation, waiting).ConfigureAwait(false))
        {
            await hash.DeleteAsync(generation, waiting).ConfigureAwait(false);
            return false;
        }

        if (there.IsNullOrEmpty) return false; // made by hand: it is what it is
        lock (Gate) _sight = _sight.After(SessionSight.Unknown, there);
        if (!isOurs) return true;

        ListCreated();
        _store.Logger.SessionTakenOver(Id, values.Count);
        _store.Metrics.SessionTakenOver();
        return true;
    }

    private async Task<bool> IsMarkedAsync(IStockSessions left, string sessionKey, string generation, Waiting waiting)
    {
        try
        {
            return await left.MarkAsync(sessionKey, generation, waiting).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            // The session is there; it must not be lost because another key cannot be written.
            _store.Logger.StockSessionNotMarked(Id, error);
            return true;
        }
    }

    /// <summary>Whether a reply says that there is no hash.</summary>
    private static bool IsNothing(object? reply) => reply is HashEntry[] { Length: 0 } or RedisValue[] and [{ IsNull: true }, ..];
}
