using System.Runtime.ExceptionServices;

namespace RedisSession.Provider;

/// <summary>This file: how long a request waits for Redis, and what becomes of a wait that fails.</summary>
internal sealed partial class RedisHashSession
{
    // The first failure: what comes after it in this request fails, or finds nothing, at once. Captured once, because an exception
    // that is thrown again and again as it is grows a longer stack trace each time.
    private ExceptionDispatchInfo? _failure;

    private async ValueTask<SessionHash> OpenAsync(bool retry, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!retry) ThrowIfFailed();
        var database = _store.Connection.GetDatabaseAsync();
        return new(
            database.IsCompletedSuccessfully
                ? database.Result
                : await Begin(OperationKind.Connect).Follow(ReplyAsync(database.AsTask(), "connecting", cancellationToken))
                    .ConfigureAwait(false),
            Key);
    }

    /// <summary>Waits for a reply as <see cref="Bounded"/> does, and takes in what goes wrong.</summary>
    private async Task<T> ReplyAsync<T>(Task<T> reply, string doing, CancellationToken cancellationToken)
    {
        try
        {
            return await Bounded(reply, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (Failed(error, reply, doing, RememberReadFailure, cancellationToken) is { } timeout)
        {
            throw timeout;
        }
    }

    /// <summary>The reply, for whoever waits no longer than the IOTimeout and the caller's patience.</summary>
    private Task<T> Bounded<T>(Task<T> reply, CancellationToken cancellationToken) =>
        IsBoundedByClient && !cancellationToken.CanBeCanceled ? reply : reply.WaitAsync(IOTimeout, cancellationToken);

    // The client ends a wait by itself after its own timeout; a second timer is only for those who want less, or to cancel, and for where
    // a reply may be several, one after the other, or that of a cache which waits for ever.
    private bool IsBoundedByClient =>
        _store.StockSessions is null && (IOTimeout == Timeout.InfiniteTimeSpan || _store.Connection.ReplyTimeout < IOTimeout);

    /// <summary>
    /// Takes in what ended a wait for a reply, if it is more than the caller's wish. As in ASP.NET Core a timeout is to be thrown as the
    /// <see cref="OperationCanceledException"/> that this returns; its inner exception is a <see cref="TimeoutException"/>, its token not
    /// the caller's. Null for what can be thrown as it is.
    /// </summary>
    private OperationCanceledException? Failed(
        Exception error, Task reply, string doing, Action<Exception> remember, CancellationToken cancellationToken)
    {
        if (error is OperationCanceledException && cancellationToken.IsCancellationRequested) return null;
        OperationCanceledException? thrown = null;
        if (error is TimeoutException && !reply.IsCompleted)
        {
            _store.Logger.TimedOut(Id, doing, IOTimeout);
            error = thrown = new($"Timed out {doing} the session.", error);
        }

        remember(error);
        return thrown;
    }

    private void RememberReadFailure(Exception error)
    {
        lock (Gate)
        {
            if (_failure is not null) return;
            _failure = ExceptionDispatchInfo.Capture(error);
        }

        _store.Logger.ReadFailed(Id, error);
    }

    private void ThrowIfFailed() => _failure?.Throw();
}
