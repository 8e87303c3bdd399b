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
        if (context.Response.HasStarted || !_tryEstablishSession())
        {
            throw new InvalidOperationException(
                "The session cannot be renewed after the response has started: its new cookie could not be sent.");
        }

        lock (Gate)
        {
            if (user is not null) Collected.Bind(user);
            _failureIsTold = false;
        }

        await TellingTheCaller(RetryAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
        if (_isNewKey) return;

        string sessionKey = SessionCookie.NewSessionKey();
        string id = SessionId.Of(sessionKey);
        var from = await OpenAsync(retry: false, cancellationToken).ConfigureAwait(false);
        byte[] key = SessionHashLayout.KeyOf(_store.KeyStart, sessionKey);
        var to = new SessionHash(await _store.Connection.GetDatabaseAsync().ConfigureAwait(false), key);
        var protector = _store.ProtectorOf(id);
        var move = Begin(OperationKind.RenewKey).Follow(MoveAsync(from, to, protector, cancellationToken));
        string generation = await move.ConfigureAwait(false);

        string oldId = Id;
        lock (Gate)
        {
            _sessionKey = sessionKey;
            _id = id;
            _redisKey = key;
            _protector = protector;
            _sight = SessionSight.Present(generation);
            _newGeneration = null;
            _failure = null;
        }

        _store.Cookie.Renew(context, sessionKey);
        _store.Logger.SessionRenewed(oldId, id);
        _store.Metrics.SessionRenewed();
    }

    /// <summary>Ends the session. See <see cref="HttpContextSessionExtensions.AbandonSessionAsync"/>.</summary>
    public async Task AbandonAsync(HttpContext context, CancellationToken cancellationToken)
    {
        Task confirmation;
        lock (Gate)
        {
            _collected = null;
            confirmation = _confirmation;
        }

        // A write on its way could create the session again behind the removal.
        await confirmation.WaitAsync(_ioTimeout, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        var hash = await OpenAsync(retry: true, cancellationToken).ConfigureAwait(false);
        var removal = Begin(OperationKind.Abandon).Follow(ReplyAsync(hash.DeleteAsync(), "abandoning", cancellationToken));
        bool wasThere = await removal.ConfigureAwait(false);

        lock (Gate)
        {
            _sight = SessionSight.Ended;
            _snapshot = SessionSnapshot.Empty();
            _collected = null;
            _sent = null;
            _confirmation = Confirmed;
            _renewed = true;
        }

        if (!context.Response.HasStarted && _store.Cookie.IsIn(context.Request)) _store.Cookie.Expire(context);
        _store.Logger.SessionAbandoned(Id);
        if (wasThere) _store.Metrics.SessionEnded(SessionEndReason.Abandoned);
    }

    /// <summary>Copy, paste, remove; see <see cref="MoveScripts"/>. Returns the generation of the new hash.</summary>
    private async Task<string> MoveAsync(
        SessionHash from, SessionHash to, ValueProtector? newProtector, CancellationToken cancellationToken)
    {
        string generation = SessionGeneration.Create();
        var seen = _sight.Generation;
        bool removalIsUnknown = false;
        try
        {
            for (int attempt = 0; attempt < MoveAttempts; attempt++)
            {
                var copy = SessionCopy.Parse(await ReplyAsync(from.CopyAsync(seen), "renewing", cancellationToken).ConfigureAwait(false));
                if (copy is null)
                {
                    if (removalIsUnknown) return generation; // it was applied, and only its reply was lost
                    lock (Gate) _sight = SessionSight.Ended;
                    throw new SessionEndedException(Id);
                }

                seen = copy.Generation;
                var fields = copy.Fields.Select(field => Recode(field, newProtector))
                    .Prepend(new(SessionHashLayout.Generation, generation, -1));
                await ReplyAsync(to.PasteAsync([.. fields], Expiry), "renewing", cancellationToken).ConfigureAwait(false);
                if (seen.IsNull) return generation; // there was nothing to move

                try
                {
                    var removal = from.DeleteIfUnchangedAsync(seen, copy.Digest);
                    var removed = await ReplyAsync(removal, "renewing", cancellationToken).ConfigureAwait(false);
                    if (!removed.IsNull && (int)removed == 1) return generation;
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
            throw;
        }
    }

    private SessionCopy.Field Recode(SessionCopy.Field field, ValueProtector? newProtector)
    {
        if (Protector is not { } protector || newProtector is null || SessionHashLayout.SessionKeyOf(field.Name) is null) return field;
        return protector.Unprotect((byte[]?)field.Value) is { } value ? field with { Value = newProtector.Protect(value) } : field;
    }
}
