using Microsoft.AspNetCore.Http;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>This file: a new key for the session, and its end.</summary>
internal sealed partial class RedisHashSession
{
    // Others may write between copy and removal, and then we copy again; nobody does so forever.
    private const int MoveAttempts = 20;

    /// <summary>Moves the session to a new key. See <see cref="HttpContextSessionExtensions.RenewSessionAsync"/>.</summary>
    public async Task RenewKeyAsync(HttpContext context, string? user, CancellationToken cancellationToken)
    {
        if (user is { Length: 0 })
        {
            throw new ArgumentException("A user cannot be empty; null leaves the session's user as it is.", nameof(user));
        }

        if (user is not null) user = SessionHashLayout.Normalize(user);
        if (context.Response.HasStarted || !_tryEstablishSession())
        {
            throw new InvalidOperationException(
                "The session cannot be renewed after the response has started: its new cookie could not be sent.");
        }

        lock (Gate) _failureIsTold = false;
        var confirming = user is null ? RetryAsync(cancellationToken) : BindAsync(user, cancellationToken);
        await TellingTheCaller(confirming, cancellationToken).ConfigureAwait(false);
        if (_isNewKey) return;

        string sessionKey = SessionCookie.NewSessionKey();
        string id = SessionId.Of(sessionKey);
        var from = await OpenAsync(retry: false, cancellationToken).ConfigureAwait(false);
        byte[] key = SessionHashLayout.KeyOf(_store.KeyStart, sessionKey);
        var to = new SessionHash(await _store.Connection.GetDatabaseAsync().ConfigureAwait(false), key);
        var protector = _store.ProtectsValues ? _store.ProtectorOf(id) : null;
        var move = Begin(OperationKind.RenewKey).Follow(MoveAsync(from, to, id, protector, cancellationToken));
        var moved = await move.ConfigureAwait(false);

        string oldId = Id;
        if (moved.Owner is not null) _store.Users.Forget(oldId, moved.Owner);
        _store.Users.Remember(id, moved.Owner, new(Expiry.Idle, moved.TimeToLive));
        lock (Gate)
        {
            _sessionKey = sessionKey;
            _id = id;
            _redisKey = key;
            _protector = protector;
            _sight = SessionSight.Present(moved.Generation);
            Writes.NewGeneration = null;
            _failure = null;
        }

        _store.Cookie.Renew(context, sessionKey);
        _store.Logger.SessionRenewed(oldId, id);
        _store.Metrics.SessionRenewed();
        if (moved.WasThere) _store.Lifecycle.Renewed(id, oldId, moved.Owner);
        else _store.Lifecycle.Created(id, moved.Owner);
    }

    /// <summary>Ends the session. See <see cref="HttpContextSessionExtensions.AbandonSessionAsync"/>.</summary>
    public async Task AbandonAsync(HttpContext context, CancellationToken cancellationToken)
    {
        Task confirmation;
        lock (Gate)
        {
            Writes.Collected = null;
            confirmation = Writes.Confirmation;
        }

        // A write on its way could create the session again behind the removal, and its listing could list it.
        await Task.WhenAll(confirmation, _listing).WaitAsync(IOTimeout, cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        var hash = await OpenAsync(retry: true, cancellationToken).ConfigureAwait(false);
        var ending = EndLeftAsync().Observed();
        var removal = Begin(OperationKind.Abandon).Follow(ReplyAsync(hash.EndAsync(), "abandoning", cancellationToken));
        string? user = await removal.ConfigureAwait(false);
        if (await ReplyAsync(ending, "abandoning", cancellationToken).ConfigureAwait(false))
        {
            // Another request may have taken it over between the two.
            string? again = await ReplyAsync(hash.EndAsync(), "abandoning", cancellationToken).ConfigureAwait(false);
            user ??= again;
        }

        if (!string.IsNullOrEmpty(user)) _store.Users.Forget(Id, user);

        lock (Gate)
        {
            _sight = SessionSight.Ended;
            _snapshot = SessionSnapshot.Empty();
            Writes.Drop();
            Writes.Confirmation = UnconfirmedWrites.Confirmed;
            _renewed = true;
        }

        if (!context.Response.HasStarted && _store.Cookie.IsIn(context.Request)) _store.Cookie.Expire(context);
        _store.Logger.SessionAbandoned(Id);
        if (user is null) return; // there was none
        _store.Metrics.SessionEnded(SessionEndReason.Abandoned);
        _store.Lifecycle.Ended(Id, user, SessionEndReason.Abandoned);
    }

    /// <summary>
    /// Binds the session to a user, who has it in his list before it is his, in the flight of the change: one round trip.
    /// </summary>
    private async Task BindAsync(string user, CancellationToken cancellationToken)
    {
        Task<string?> asking;
        Task listing;
        lock (Gate)
        {
            Changes.Bind(user);
            LeaveListingToTheApplication();
            asking = _store.Users.OwnerOfAsync(Id);
            listing = Task.WhenAll(asking, _store.Users.ListAsync(Id, user, Expiry)).Observed();
        }

        await RetryAsync(cancellationToken).ConfigureAwait(false);
        await ListedAsync(listing, cancellationToken).ConfigureAwait(false);
        if (await asking.ConfigureAwait(false) is { } before && before != user) _store.Users.Forget(Id, before);
        _store.Users.Remember(Id, user, Expiry);
    }

    private async Task ListedAsync(Task listing, CancellationToken cancellationToken)
    {
        try
        {
            await listing.WaitAsync(IOTimeout, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (Failed(error, listing, "listing", Log, cancellationToken) is { } timeout)
        {
            throw timeout;
        }

        void Log(Exception error) => _store.Logger.ListingFailed(Id, error);
    }

    /// <summary>Copy, paste, remove; see <see cref="MoveScripts"/>.</summary>
    private async Task<Moved> MoveAsync(
        SessionHash from, SessionHash to, string newId, ValueProtector? newProtector, CancellationToken cancellationToken)
    {
        string generation = SessionGeneration.Create();
        string? owner = null;
        long timeToLive = 0;
        var seen = _sight.Generation;
        bool removalIsUnknown = false;
        try
        {
            for (int attempt = 0; attempt < MoveAttempts; attempt++)
            {
                var copy = SessionCopy.Parse(await ReplyAsync(from.CopyAsync(seen), "renewing", cancellationToken).ConfigureAwait(false));
                if (copy is null)
                {
                    // The removal was applied, and only its reply was lost.
                    if (removalIsUnknown) return new(generation, owner, timeToLive, !seen.IsNull);
                    lock (Gate) _sight = SessionSight.Ended;
                    throw new SessionEndedException(Id);
                }

                if (copy.Generation.IsNull && MayBeLeft(_sight))
                {
                    seen = (await ReplyAsync(SettleAsync(from), "renewing", cancellationToken).ConfigureAwait(false)).Generation;
                    continue;
                }

                seen = copy.Generation;
                owner = copy.User;
                var listing = owner is null ? Task.CompletedTask : _store.Users.ListAsync(newId, owner, Expiry).Observed();
                var fields = copy.Fields.Select(field => Recode(field, newProtector))
                    .Prepend(new(SessionHashLayout.Generation, generation, -1));
                var paste = to.PasteAsync([.. fields], Expiry);
                timeToLive = (long)await ReplyAsync(paste, "renewing", cancellationToken).ConfigureAwait(false);
                await ListedAsync(listing, cancellationToken).ConfigureAwait(false);
                if (owner is not null && timeToLive < Expiry.Idle / 2)
                {
                    // The absolute timeout is near: the list has no use for the entry much longer than that.
                    _ = _store.Users.ListAsync(newId, owner, new(timeToLive, Absolute: 0)).Observed();
                }

                if (seen.IsNull) return new(generation, owner, timeToLive, !seen.IsNull); // there was nothing to move

                try
                {
                    var removal = from.DeleteIfUnchangedAsync(seen, copy.Digest);
                    var ending = EndLeftOrLogAsync();
                    var removed = await ReplyAsync(removal, "renewing", cancellationToken).ConfigureAwait(false);
                    await ending.ConfigureAwait(false);
                    if (!removed.IsNull && (int)removed == 1) return new(generation, owner, timeToLive, !seen.IsNull);
                }
                catch (Exception) when (!removalIsUnknown && !cancellationToken.IsCancellationRequested)
                {
                    removalIsUnknown = true;
                }
            }

            throw new InvalidOperationException($"The session {Id} was not renewed: other requests change it all the time.");
        }
        catch (Exception) when (!removalIsUnknown)
        {
            // The old one is whole, and nobody knows the key of the new one.
            _ = to.DeleteAsync(CommandFlags.FireAndForget);
            if (owner is not null) _store.Users.Forget(newId, owner);
            throw;
        }
    }

    private SessionCopy.Field Recode(SessionCopy.Field field, ValueProtector? newProtector)
    {
        if (Protector is not { } protector || newProtector is null || SessionHashLayout.SessionKeyOf(field.Name) is null) return field;
        return protector.Unprotect((byte[]?)field.Value) is { } value ? field with { Value = newProtector.Protect(value) } : field;
    }

    /// <summary>
    /// A new hash: whose session it is, how many milliseconds it has to live, and whether there was an old one.
    /// </summary>
    private readonly record struct Moved(string Generation, string? Owner, long TimeToLive, bool WasThere);
}
