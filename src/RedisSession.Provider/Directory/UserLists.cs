using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// Keeps every session in its user's list for as long as it lives. Holds the state that the sessions of all requests share.
/// </summary>
/// <remarks>
/// <para>
/// An entry outlives its session by a quarter of the idle timeout. So a session that is only kept alive needs its entry kept once per
/// eighth of the idle timeout, pipelined with what its request sends anyway, and nothing has to wait: otherwise, each refresh still costs
/// one PEXPIRE.
/// </para>
/// <para>
/// A session is listed before it is bound, and unlisted after it ends. So a list can name a session that is not its user's, which readers
/// detect, but a session that has a user is in that user's list.
/// </para>
/// </remarks>
internal sealed class UserLists(
    RedisConnection connection,
    IOptions<RedisHashSessionOptions> options,
    LifecycleQueue lifecycle,
    SessionMetrics metrics,
    ErrorReports errors,
    ILogger<UserLists> logger)
{
    private readonly RedisHashSessionOptions _options = options.Value;
    private readonly ListedSessions _known = new();

    /// <summary>The user that the request identifies; null if there is none, or it must not be asked.</summary>
    public string? UserOf(HttpContext context, INamedSession session)
    {
        if (_options.UserIdentifier is not { } identify) return null;
        try
        {
            return identify(context) is { Length: > 0 } user ? SessionHashLayout.Normalize(user) : null;
        }
        catch (Exception error)
        {
            // A session can be read and written without knowing whose it is.
            logger.UserUnknown(session.Id, error);
            return null;
        }
    }

    /// <summary>True when this session needs nothing for now.</summary>
    /// <param name="id">The session's id in UTF-8.</param>
    /// <param name="user">The request's user, or null.</param>
    /// <param name="generation">Its generation; null while the request has not seen it.</param>
    /// <param name="expiry">The session's timeouts.</param>
    /// <param name="isNew">Whether it could have expired since this process last kept it listed for that user.</param>
    public bool IsUpToDate(ReadOnlySpan<byte> id, string? user, RedisValue generation, SessionExpiry expiry, out bool isNew)
    {
        var age = _known.AgeOf(id, user, generation, Environment.TickCount64);
        isNew = age is null || age > expiry.Idle;
        return age < expiry.Idle / 8;
    }

    /// <summary>True if this life of the session was kept listed for that user.</summary>
    public bool Knows(ReadOnlySpan<byte> id, string? user, RedisValue generation) =>
        _known.AgeOf(id, user, generation, Environment.TickCount64) is not null;

    /// <summary>Records that the session, which now lives as long as <paramref name="expiry"/> says, needs nothing for a while.</summary>
    public void Remember(ReadOnlySpan<byte> id, string? user, RedisValue generation, SessionExpiry expiry)
    {
        _known.Remember(id, user, generation, Environment.TickCount64);
        if (user is not null && connection.OpenDatabase is { } database)
            NoteOwner(database, Encoding.UTF8.GetString(id), user, expiry.Life, expiry);
    }

    /// <summary>
    /// Keeps the session in its user's list, and binds it to <paramref name="user"/> unless another user has a better claim. Sent when this
    /// returns, if the connection is open; done when Redis has answered; never fails. False if there was no such session.
    /// </summary>
    /// <param name="id">The session.</param>
    /// <param name="user">The request's user, or null.</param>
    /// <param name="expiry">The session's timeouts.</param>
    /// <param name="write">
    /// The request's preceding write, which may create the session. It is applied before we ask, unless its script had to be sent again.
    /// </param>
    /// <param name="seen">The generation that the request has seen by then; null while it has seen none.</param>
    public async Task<bool> KeepAsync(string id, string? user, SessionExpiry expiry, Task? write, Func<RedisValue> seen)
    {
        try
        {
            long sent = Environment.TickCount64;
            var database = await connection.GetDatabaseAsync().ConfigureAwait(false);
            var hash = HashOf(database, id);
            var listing = user is null ? NoStamp : ListOf(database, user).KeepAsync(id, TimeInList(expiry));
            var binding = hash.BindAsync(user, seen, expiry);
            await Task.WhenAll(listing, binding).ConfigureAwait(false);
            var reply = await binding.ConfigureAwait(false);
            if (reply is null && write is not null)
            {
                await write.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                var generation = seen();
                bool isThere = !generation.IsNull && generation != SessionGeneration.None;
                if (isThere) reply = await hash.BindAsync(user, seen, expiry).ConfigureAwait(false);
            }

            if (reply?.User is { } owner) NoteOwner(database, id, owner, reply.TimeToLive, expiry);
            bool isListed = user is null ? reply?.User is null : reply?.User == user && reply?.TimeToLive >= expiry.Idle / 2;
            if (isListed) _known.Remember(Encoding.UTF8.GetBytes(id), user, reply?.Generation ?? RedisValue.Null, sent);
            else _ = CorrectAsync(database, id, user, await listing.ConfigureAwait(false), reply, expiry, sent);
            if (reply?.Before is { } before) Forget(id, before);
            return reply is not null;
        }
        catch (Exception error)
        {
            Failed(id, error);
            return true; // unknown, and not to be tried again with each reply
        }
    }

    /// <summary>Corrects what was sent if it did not fit the actual session; nothing waits for this.</summary>
    private async Task CorrectAsync(
        IDatabase database, string id, string? user, string? stamp, BindReply? reply, SessionExpiry expiry, long sent)
    {
        try
        {
            // Another user's; or an absolute timeout ends it soon, and its entry must not stay an idle timeout longer than that.
            if (reply is { User: { } owner })
            {
                await ListOf(database, owner).KeepAsync(id, TimeInList(reply.TimeToLive, expiry)).ConfigureAwait(false);
                _known.Remember(Encoding.UTF8.GetBytes(id), user, reply.Generation, sent);
            }

            // Not this user's, or not there. Remove an entry of ours, unless another request has listed the session since. Remove an
            // earlier one if the session is another user's: the request that added it leaves that to us, because we have kept it. If there
            // is no session, a request about to create it may rely on the entry, which expires by itself.
            if (user is null || reply?.User == user) return;
            if (stamp is not null) await ListOf(database, user).ForgetAsync(id, stamp).ConfigureAwait(false);
            else if (reply is not null) Forget(id, user);
        }
        catch (Exception error)
        {
            Failed(id, error);
        }
    }

    /// <summary>Lists a session that is about to become the user's, or about to appear.</summary>
    public async Task ListAsync(string id, string user, SessionExpiry expiry)
    {
        var database = await connection.GetDatabaseAsync().ConfigureAwait(false);
        await ListOf(database, user).KeepAsync(id, TimeInList(expiry)).ConfigureAwait(false);
    }

    /// <summary>The session's owner.</summary>
    public async Task<string?> OwnerOfAsync(string id)
    {
        var database = await connection.GetDatabaseAsync().ConfigureAwait(false);
        return await HashOf(database, id).ReadUserAsync().ConfigureAwait(false);
    }

    /// <summary>Removes a session that is no longer this user's. Nothing waits for it, and it never fails.</summary>
    public void Forget(string id, string user)
    {
        _ = ForgetAsync();

        async Task ForgetAsync()
        {
            try
            {
                var database = await connection.GetDatabaseAsync().ConfigureAwait(false);
                var list = ListOf(database, user);

                // The same browser may have started a new session under the same id meanwhile: then it exists already, or is listed again
                // before it is bound, and the stamp differs.
                string? stamp = await list.StampOfAsync(id).ConfigureAwait(false);
                string? owner = await HashOf(database, id).ReadUserAsync().ConfigureAwait(false);
                if (owner is null && lifecycle.HasHandlers) await OwnerOf(database, id).ForgetAsync().ConfigureAwait(false);
                if (owner != user && stamp is not null) await list.ForgetAsync(id, stamp).ConfigureAwait(false);
            }
            catch (Exception error)
            {
                Failed(id, error);
            }
        }
    }

    /// <summary>
    /// The key was renewed: what is left under it is not a session, and handlers must not be told of its end; or it is one after all.
    /// Nothing waits for it, and it never fails.
    /// </summary>
    /// <param name="id">The session.</param>
    /// <param name="milliseconds">For how long; null if it is a session again.</param>
    public void TellNoEnd(string id, long? milliseconds)
    {
        if (lifecycle.HasHandlers) _ = TellNoEndAsync();

        async Task TellNoEndAsync()
        {
            try
            {
                var owner = OwnerOf(await connection.GetDatabaseAsync().ConfigureAwait(false), id);
                await (milliseconds is { } time ? owner.SilenceAsync(time) : owner.UnsilenceAsync()).ConfigureAwait(false);
            }
            catch (Exception error)
            {
                Failed(id, error);
            }
        }
    }

    private void Failed(string id, Exception error)
    {
        if (errors.IsNews(OperationKind.KeepListed, error)) logger.ListingFailed(id, error);
        metrics.OperationFailed(OperationKind.KeepListed, error);
    }

    private static readonly Task<string?> NoStamp = Task.FromResult<string?>(null);

    private SessionHash HashOf(IDatabase database, string id) => new(database, SessionHashLayout.KeyOf(_options.KeyPrefix, id));

    private UserList ListOf(IDatabase database, string user) => new(database, SessionHashLayout.UserKeyOf(_options.KeyPrefix, user));

    private SessionOwner OwnerOf(IDatabase database, string id) => new(database, _options.KeyPrefix, id);

    /// <summary>
    /// Stores the owner for handlers, which are told whose session has expired. Nothing waits for it, and it never fails.
    /// </summary>
    private void NoteOwner(IDatabase database, string id, string user, long timeToLive, SessionExpiry expiry)
    {
        if (lifecycle.HasHandlers) _ = NoteAsync();

        async Task NoteAsync()
        {
            try
            {
                await OwnerOf(database, id).KeepAsync(user, timeToLive, expiry).ConfigureAwait(false);
            }
            catch (Exception error)
            {
                Failed(id, error);
            }
        }
    }

    private static long TimeInList(SessionExpiry expiry) => TimeInList(expiry.Life, expiry);

    private static long TimeInList(long timeToLive, SessionExpiry expiry) => timeToLive + (expiry.Idle / 4);
}
