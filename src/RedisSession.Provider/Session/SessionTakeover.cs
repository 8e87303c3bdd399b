using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>Takes over a session left by AddSession when a request first finds that there is no hash.</summary>
/// <remarks>
/// <para>
/// Until the request has seen the session, nothing may create it: a write carries no generation for a new hash. A read or write that then
/// finds no hash looks for the blob, once, and is repeated. So a session that has its hash costs the same as without this.
/// </para>
/// <para>
/// Several tasks, of one request or many, may do so at once. One of them creates the hash, the others find it. The creator marks the blob
/// as that hash: if it has another mark by then, the session was taken over, and has ended, between this look and this write.
/// </para>
/// </remarks>
internal sealed class SessionTakeover(
    SessionChannel channel, SessionListing listing, RedisConnection connection, IOptions<RedisHashSessionOptions> options, IServiceProvider services)
{
    private static readonly Task<bool> NothingLeft = Task.FromResult(false);

    /// <summary>The sessions left by AddSession; null if none are to be taken over.</summary>
    public IStockSessions? Stock { get; } = StockSessionsChoice.Of(options.Value, connection, services);

    /// <summary>There may be a blob, and when the request asked, it had not seen whether there is a hash.</summary>
    public bool IsDue(in Question question) => IsDue(question.Identity, question.Sight);

    /// <summary>The same for what is sent now. Called inside the lock.</summary>
    public bool IsDue(SessionState state) => IsDue(state.Identity, state.Sight);

    /// <summary>True if a write was not made because there is no session yet, but may be one to take over.</summary>
    public bool IsDue(in Question question, in ChangeReply answer) => IsDue(question) && !answer.Ended && answer.Generation.IsNull;

    /// <summary>
    /// No hash was found: true if there is one now, whoever created it, so that asking again makes sense. Costs nothing if nothing is due.
    /// </summary>
    public ValueTask<bool> HasTakenOverAsync(RequestSession session, in Question question, Waiting waiting) =>
        IsDue(question) ? new(TakeOverAsync(session, question, waiting)) : new(false);

    /// <summary>The same; afterwards the session is no longer unknown to the request.</summary>
    public async Task SettleAsync(RequestSession session, Question question, Waiting waiting)
    {
        if (IsDue(question)) await TakeOverAsync(session, question, waiting).ConfigureAwait(false);
        lock (session.State.Gate) session.State.Settle(question, RedisValue.Null);
    }

    /// <summary>Ends what is left of the session for instances that still use it; true if there may have been something.</summary>
    public Task<bool> EndAsync(SessionIdentity identity, Waiting waiting) =>
        Stock is not null && !identity.IsNew ? Stock.EndAsync(identity.SessionKey, waiting) : NothingLeft;

    /// <summary>The same after a renewal, which stands whatever becomes of this.</summary>
    public async Task EndOrLogAsync(SessionIdentity identity, Waiting waiting)
    {
        try
        {
            await EndAsync(identity, waiting).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            channel.Logger.StockSessionNotMarked(identity.Id, error);
        }
    }

    private bool IsDue(SessionIdentity identity, SessionSight sight) => Stock is not null && !identity.IsNew && sight.IsUnknown;

    private async Task<bool> TakeOverAsync(RequestSession session, Question question, Waiting waiting)
    {
        var operation = channel.Begin(OperationKind.TakeOver, session);
        operation?.Leave();
        try
        {
            bool mayBeThere = await LookAndTakeAsync(session, question, waiting).ConfigureAwait(false);
            operation?.Succeeded(mayBeThere);
            return mayBeThere;
        }
        catch (Exception error)
        {
            operation?.Failed(error);
            throw;
        }
    }

    /// <summary>Looks for a blob and creates the session from it. True if there may be a hash now, whoever created it.</summary>
    private async Task<bool> LookAndTakeAsync(RequestSession session, Question question, Waiting waiting)
    {
        var left = Stock!;
        var state = session.State;
        string sessionKey = question.Identity.SessionKey;
        if (IsSettled()) return true;
        var found = await left.FindAsync(sessionKey, waiting).ConfigureAwait(false);
        if (IsSettled()) return true;
        if (found.Blob is not { } blob) return found.MayBeTaken;
        if (!StockSessionBlob.TryParse(blob, out var values))
        {
            channel.Logger.StockSessionUnreadable(question.Identity.Id, blob.Length);
            await left.PassOverAsync(sessionKey, waiting).ConfigureAwait(false);
            return false;
        }

        string generation = SessionGeneration.Create();
        var protector = question.Identity.Protector;
        var concealed = Array.ConvertAll<KeyValuePair<string, byte[]>, KeyValuePair<string, RedisValue>>(
            [.. values], entry => new(entry.Key, protector is null ? entry.Value : protector.Protect(entry.Value)));
        var hash = new SessionHash(connection.OpenDatabase!, question.Identity.RedisKey);
        var there = (RedisValue)await hash.CreateAsync(concealed, generation, session.Timeouts.Expiry, waiting).ConfigureAwait(false);
        bool isOurs = there == generation;
        if (isOurs && !await IsMarkedAsync(question.Identity, generation, waiting).ConfigureAwait(false))
        {
            await hash.DeleteAsync(generation, waiting).ConfigureAwait(false);
            return false;
        }

        if (there.IsNullOrEmpty) return false; // made by hand: left as it is
        lock (state.Gate)
        {
            state.Settle(question, there);
            if (isOurs) listing.Seen(session, isCreated: true);
        }

        if (!isOurs) return true;
        channel.Logger.SessionTakenOver(question.Identity.Id, values.Count);
        channel.Metrics.SessionTakenOver();
        return true;

        // Another task of the request was faster. What it found may have changed since, so asking again makes sense.
        bool IsSettled()
        {
            lock (state.Gate) return question.Identity != state.Identity || state.HasSeen;
        }
    }

    private async Task<bool> IsMarkedAsync(SessionIdentity identity, string generation, Waiting waiting)
    {
        try
        {
            return await Stock!.MarkAsync(identity.SessionKey, generation, waiting).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            // The session is there; it must not be lost because another key cannot be written.
            channel.Logger.StockSessionNotMarked(identity.Id, error);
            return true;
        }
    }
}
