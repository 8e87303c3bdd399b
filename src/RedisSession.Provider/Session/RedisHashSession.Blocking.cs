using System.Diagnostics.CodeAnalysis;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>This file: asking Redis on a thread that waits, for the synchronous API.</summary>
internal sealed partial class RedisHashSession
{
    private byte[]? ReadBlocking(string key)
    {
        if (_snapshot is null && _store.Mode == RedisSessionMode.Live)
        {
            return AskBlocking(key) is { } values ? Reveal(values[1]) : null;
        }

        var snapshot = ReadAllBlocking();
        lock (Gate) return snapshot?.Find(key);
    }

    /// <summary>The snapshot, taken if there is none; in live mode one for this call alone. Null when Redis does not answer.</summary>
    private SessionSnapshot? ReadAllBlocking() => _snapshot ?? TakeSnapshotBlocking();

    private SessionSnapshot? TakeSnapshotBlocking()
    {
        SessionSight asked = default;
        HashEntry[]? entries = null;
        SessionSnapshot? snapshot = null;
        bool onItsWay = false;
        try
        {
            TryBlock(
                OperationKind.Load,
                whenEmpty: [],
                hash =>
                {
                    if (onItsWay) return hash.ReadAllAsync(); // the same snapshot, of a session that has been taken over just now
                    var reply = AskForAll(hash, out asked);
                    onItsWay = true;
                    return reply;
                },
                out entries);
        }
        finally
        {
            if (onItsWay) snapshot = Arrived(asked, entries, keep: _store.Mode == RedisSessionMode.Buffered);
        }

        return entries is null ? null : snapshot ?? SessionSnapshot.Empty();
    }

    /// <summary>The generation and the values of <paramref name="keys"/>; null when there is no such session, or no answer.</summary>
    private RedisValue[]? AskBlocking(params string[] keys)
    {
        SessionSight asked = default;
        bool answered = TryBlock(OperationKind.Read, whenEmpty: [], hash => AskFor(hash, out asked, keys), out var values);
        return answered && values!.Length > 0 && Saw(asked, values[0]) ? values : null;
    }

    /// <summary>Asks Redis whether it is there, for whoever only wants to know that.</summary>
    private void TouchBlocking()
    {
        try
        {
            if (_store.Mode == RedisSessionMode.Buffered) ReadAllBlocking();
            else AskBlocking();
        }
        catch (Exception) when (_failure is not null)
        {
            // FailureMode.Throw: the question was whether Redis is available, and the answer is no.
        }
    }

    /// <summary>
    /// Runs a synchronous access: true with the reply, or without asking with <paramref name="whenEmpty"/>; false when Redis gave no reply
    /// and the application wants to go on.
    /// </summary>
    private bool TryBlock<T>(OperationKind kind, T whenEmpty, Func<SessionHash, Task<T>> send, [NotNullWhen(true)] out T? reply)
        where T : notnull
    {
        reply = default;
        if (_failure is not null && _store.FailureMode == FailureMode.LogAndContinue) return false;
        try
        {
            ThrowIfFailed();
            var database = _store.Connection.GetDatabaseAsync();
            var hash = new SessionHash(
                database.IsCompletedSuccessfully
                    ? database.Result
                    : Begin(OperationKind.Connect).Wait(database.AsTask(), IOTimeout),
                Key);
            var asked = _sight;
            var answer = IsKnownToBeEmpty(hash) ? whenEmpty : Begin(kind).Wait(send(hash), IOTimeout);
            if (IsTakenOverNow(asked, answer, hash)) answer = Begin(kind).Wait(send(hash), IOTimeout);
            reply = answer;
            return true;
        }
        catch (Exception error)
        {
            RememberReadFailure(error);
            if (_store.FailureMode == FailureMode.Throw) throw;
            return false;
        }
    }
}
