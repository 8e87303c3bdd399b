using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// Keeps every session in the list of its user for as long as it lives. Holds what the sessions of all requests share.
/// </summary>
/// <remarks>
/// <para>
/// An entry stays in a list for a quarter of the idle timeout longer than its session has to live. So a session that is only kept alive
/// needs to be looked after once in an eighth of the idle timeout, in the flight of what its request sends anyway, and nobody has to wait:
/// what each renewal costs otherwise stays one PEXPIRE.
/// </para>
/// <para>
/// The list comes before the binding and is left after the end. So a list can name a session that is not its user's, which whoever reads
/// it notices, and a session that is somebody's is in his list.
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

    /// <summary>Who the request says that it is; null when it does not, or may not be asked.</summary>
    public string? UserOf(HttpContext context, string sessionId)
    {
        if (_options.UserIdentifier is not { } identify) return null;
        try
        {
            return identify(context) is { Length: > 0 } user ? SessionHashLayout.Normalize(user) : null;
        }
        catch (Exception error)
        {
            // A session can be read and written without knowing whose it is.
            logger.UserUnknown(sessionId, error);
            return null;
        }
    }

    /// <summary>True when this session needs nothing for now.</summary>
    /// <param name="id">The session's id in UTF-8.</param>
    /// <param name="user">The request's user, or null.</param>
    /// <param name="generation">Which life of it; null while the request has not seen that.</param>
    /// <param name="expiry">The session's timeouts.</param>
    /// <param name="isNew">Whether this process has not looked after it for that user since it could last have expired.</param>
    public bool IsUpToDate(ReadOnlySpan<byte> id, string? user, RedisValue generation, SessionExpiry expiry, out bool isNew)
    {
        var age = _known.AgeOf(id, user, generation, Environment.TickCount64);
        isNew = age is null || age > expiry.Idle;
        return age < expiry.Idle / 8;
    }

    /// <summary>True when it was this life of the session that was looked after for that user.</summary>
    public bool Knows(ReadOnlySpan<byte> id, string? user, RedisValue generation) =>
        _known.AgeOf(id, user, generation, Environment.TickCount64) is not null;

    /// <summary>The session, which lives from now on as long as <paramref name="expiry"/> says, needs nothing for a while.</summary>
    public void Remember(ReadOnlySpan<byte> id, string? user, RedisValue generation, SessionExpiry expiry)
    {
        _known.Remember(id, user, generation, Environment.TickCount64);
        if (user is not null && connection.OpenDatabase is { } database)
            NoteOwner(database, Encoding.UTF8.GetString(id), user, expiry.Life, expiry);
    }

    /// <summary>
    /// Sends what keeps the session in its user's list, and binds it to <paramref name="user"/> where nobody has a better claim. Sent when
    /// this returns, if the connection is open; done when Redis has answered; never fails.
    /// </summary>
    /// <param name="id">The session.</param>
    /// <param name="user">The request's user, or null.</param>
    /// <param name="expiry">The session's timeouts.</param>
    /// <param name="write">
    /// What the request has sent just before and may create the session. It is there before we ask, unless its script had to be sent again.
    /// </param>
    /// <param name="seen">Which life of the session the request has seen by then; null while it has seen nothing.</param>
    public async Task KeepAsync(string id, string? user, SessionExpiry expiry, Task? write, Func<RedisValue> seen)
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
        }
        catch (Exception error)
        {
            Failed(id, error);
        }
    }

    /// <summary>What was sent was not quite right for the session that there is; nobody waits for this.</summary>
    private async Task CorrectAsync(
        IDatabase database, string id, string? user, string? stamp, BindReply? reply, SessionExpiry expiry, long sent)
    {
        try
        {
            // Somebody else's; or an absolute timeout ends it before long, and its entry must not stay an idle timeout longer than that.
            if (reply is { User: { } owner })
            {
                await ListOf(database, owner).KeepAsync(id, TimeInList(reply.TimeToLive, expiry)).ConfigureAwait(false);
                _known.Remember(Encoding.UTF8.GetBytes(id), user, reply.Generation, sent);
            }

            // Not this user's, or not there. An entry of ours goes, unless another request has listed the session since. One that was there
            // before goes if the session is somebody else's: whoever made it leaves it to us, because we have kept it. Where there is no
            // session, a request that is about to begin it may count on the entry, which ends by itself.
            if (user is null || reply?.User == user) return;
            if (stamp is not null) await ListOf(database, user).ForgetAsync(id, stamp).ConfigureAwait(false);
            else if (reply is not null) Forget(id, user);
        }
        catch (Exception error)
        {
            Failed(id, error);
        }
    }

    /// <summary>Lists a session for a user whose it is about to be, or that is about to appear.</summary>
    public async Task ListAsync(string id, string user, SessionExpiry expiry)
    {
        var database = await connection.GetDatabaseAsync().ConfigureAwait(false);
        await ListOf(database, user).KeepAsync(id, TimeInList(expiry)).ConfigureAwait(false);
    }

    /// <summary>Whose session it is.</summary>
    public async Task<string?> OwnerOfAsync(string id)
    {
        var database = await connection.GetDatabaseAsync().ConfigureAwait(false);
        return await HashOf(database, id).ReadUserAsync().ConfigureAwait(false);
    }

    /// <summary>The session is not this user's any more. Nobody waits for it, and it never fails.</summary>
    public void Forget(string id, string user)
    {
        _ = ForgetAsync();

        async Task ForgetAsync()
        {
            try
            {
                var database = await connection.GetDatabaseAsync().ConfigureAwait(false);
                var list = ListOf(database, user);

                // The same browser may have begun a new session under the same id meanwhile: then it is there already, or it is listed anew
                // before it is bound, and the stamp is another.
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
    /// The key was renewed: what is left under it is no session, whose end handlers would be told of; or it is one again after all. Nobody
    /// waits for it, and it never fails.
    /// </summary>
    /// <param name="id">The session.</param>
    /// <param name="milliseconds">For how long; null: it is one again.</param>
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

    /// <summary>For handlers, which are told whose a session was when it has expired. Nobody waits for it, and it never fails.</summary>
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
