using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>Asks Redis, with and without a snapshot. <see cref="SessionState.Take"/> judges what an answer means.</summary>
/// <remarks>
/// An answer to a question asked under a key that was renewed since says nothing, and neither does "nothing there" if AddSession may have
/// left the session: in both cases the question is asked again.
/// </remarks>
internal sealed class SessionReader(
    SessionChannel channel,
    ExpiryRefresh refresh,
    SessionListing listing,
    SessionTakeover takeover,
    SessionRevival revival,
    IOptions<RedisHashSessionOptions> options)
{
    private const int SoonMilliseconds = 100;

    private readonly bool _isLive = options.Value.Mode == RedisSessionMode.Live;

    /// <summary>One key, fresh from Redis in both modes, or from this request's own unconfirmed write: one HMGET.</summary>
    public async ValueTask<SessionValue> ReadAsync(RequestSession session, string key, Waiting waiting)
    {
        if (session.State.TryGetOwn(key, out var own)) return new(own);
        var (question, values) = await ReadAllOfAsync(session, [key], waiting).ConfigureAwait(false);
        return values is null ? default : new(Reveal(question, values[1]));
    }

    /// <summary>The raw value that Redis holds under a key, and the identity it was found under: one HMGET.</summary>
    public async ValueTask<(SessionIdentity? Identity, RedisValue Value)> ReadStoredAsync(RequestSession session, string key, Waiting waiting)
    {
        var (question, values) = await ReadAllOfAsync(session, [key], waiting).ConfigureAwait(false);
        return (question.Identity, values is null ? RedisValue.Null : values[1]);
    }

    /// <summary>
    /// Several keys, fresh from Redis in one HMGET; those this request has written but not confirmed come from its writes.
    /// </summary>
    public async ValueTask<SessionValues> ReadAsync(RequestSession session, IEnumerable<string> keys, Waiting waiting)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var names = keys.ToArray();
        if (Array.Exists(names, name => name is null)) throw new ArgumentNullException(nameof(keys), "A session key cannot be null.");
        string[] normal = Array.ConvertAll(names, SessionHashLayout.Normalize);

        var read = new SessionValue[names.Length];
        var foreign = new List<int>(names.Length);
        for (int i = 0; i < names.Length; i++)
        {
            if (session.State.TryGetOwn(normal[i], out var own)) read[i] = new(own);
            else foreign.Add(i);
        }

        if (foreign.Count > 0)
        {
            string[] asking = foreign.ConvertAll(i => normal[i]).ToArray();
            var (question, values) = await ReadAllOfAsync(session, asking, waiting).ConfigureAwait(false);
            for (int i = 0; values is not null && i < foreign.Count; i++) read[foreign[i]] = new(Reveal(question, values[i + 1]));
        }

        return new(names, read);
    }

    /// <summary>Takes the snapshot: one HGETALL.</summary>
    /// <param name="session">The session.</param>
    /// <param name="retry">Tries even after an earlier failure in this request.</param>
    /// <param name="keep">Keeps it for the reads that follow.</param>
    /// <param name="waiting">How the caller waits.</param>
    public async Task<SessionSnapshot> TakeSnapshotAsync(RequestSession session, bool retry, bool keep, Waiting waiting)
    {
        bool mayBeLegacy = true;
        while (true)
        {
            var database = await channel.OpenAsync(session, waiting, retry).ConfigureAwait(false);
            if (IsKnownToBeEmpty(session.State, database, keep)) return SessionSnapshot.Empty();
            SessionSnapshot? snapshot = null;
            Question question = default;
            RedisValue generation = default;
            try
            {
                HashEntry[] entries;
                var operation = channel.Begin(OperationKind.Load, session);
                bool isListened = operation is not null;
                var reply = AskForAll(session, database, out question);
                try
                {
                    entries = await (operation is null
                        ? waiting.ForAsync(reply)
                        : channel.ListenAsync(
                            session,
                            operation,
                            reply,
                            "loading",
                            waiting,
                            new SessionHash(database, question.Identity.RedisKey),
                            static (hash, failed) => hash.ReadAllAgainAsync(failed))).ConfigureAwait(false);
                }
                catch (Exception error) when (!isListened)
                {
                    var again = reply.IsFaulted ? new SessionHash(database, question.Identity.RedisKey).ReadAllAgainAsync(reply) : null;
                    entries = await channel.AfterFailureAsync(session, error, again, "loading", waiting).ConfigureAwait(false);
                }

                bool isTakenOver = mayBeLegacy && entries.Length == 0
                    && await HasTakenOverAsync(session, question, waiting).ConfigureAwait(false);
                if (isTakenOver) mayBeLegacy = false;
                else snapshot = SessionSnapshot.Parse(entries, question.Identity.Protector, out generation);
                if (Tombstone.Is(generation) && await revival.IsGoneAsync(session, question, waiting).ConfigureAwait(false)) snapshot = null;
            }
            finally
            {
                if (snapshot is null) NotArrived(session.State, question);
            }

            if (snapshot is not null && Arrived(session, question, snapshot, generation, keep) is { } arrived) return arrived;
        }
    }

    /// <summary>One key for the synchronous API: from the snapshot, which buffered mode takes first; in live mode from Redis.</summary>
    public byte[]? Read(RequestSession session, string key)
    {
        var state = session.State;
        if (_isLive && SnapshotOf(session) is null)
        {
            return TryBlocking(session, key, static (reader, session, key, waiting) => reader.ReadOneAsync(session, key, waiting));
        }

        var snapshot = ReadAll(session);
        lock (state.Gate) return snapshot?.Find(key);
    }

    /// <summary>The snapshot, taken if there is none; in live mode one for this call alone. Null when Redis does not answer.</summary>
    public SessionSnapshot? ReadAll(RequestSession session) => SnapshotOf(session) ?? TryBlocking(
        session, "", static (reader, session, _, waiting) => reader.TakeSnapshotAsync(session, retry: false, !reader._isLive, waiting));

    /// <summary>
    /// The snapshot, if there is one. One that was loaded ahead on a guess is only for a read that follows at once: an endpoint that first
    /// waits for something, such as another request of the visitor, reads what there is after that.
    /// </summary>
    public static SessionSnapshot? SnapshotOf(RequestSession session)
    {
        var state = session.State;
        if (state.Snapshot is { AheadSince: > 0 and var at } snapshot)
        {
            snapshot.AheadSince = 0;
            session.HasReadLate = Environment.TickCount64 - at > SoonMilliseconds;
            if (session.HasReadLate)
            {
                lock (state.Gate) state.DropSnapshot();
            }
        }

        return state.Snapshot;
    }

    /// <summary>Asks Redis only whether it answers, as the first read would.</summary>
    public void Touch(RequestSession session)
    {
        try
        {
            if (!_isLive) ReadAll(session);
            else TryBlocking(session, "", static (reader, session, _, waiting) => reader.TouchAsync(session, waiting));
        }
        catch (Exception) when (session.State.Failure is not null)
        {
            // FailureMode.Throw: the question was whether Redis is available, and the answer is no.
        }
    }

    /// <summary>Runs a synchronous access; null when Redis gave no reply and the application wants to go on.</summary>
    private T? TryBlocking<T>(RequestSession session, string key, Func<SessionReader, RequestSession, string, Waiting, Task<T>> access)
        where T : class?
    {
        if (session.State.Failure is not null && !channel.Throws) return null;
        session.HasBlocked = true;
        try
        {
            return Waiting.Ended(access(this, session, key, Waiting.Blocking(session.Timeouts.IO)));
        }
        catch (Exception) when (!channel.Throws)
        {
            return null; // logged where it happened
        }
    }

    private async Task<byte[]?> ReadOneAsync(RequestSession session, string key, Waiting waiting) =>
        (await ReadAsync(session, key, waiting).ConfigureAwait(false)).Raw;

    private async Task<object?> TouchAsync(RequestSession session, Waiting waiting)
    {
        await ReadAllOfAsync(session, [], waiting).ConfigureAwait(false);
        return null;
    }

    /// <summary>The generation and the values of <paramref name="keys"/>; no values if there is no such session.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))] // one for each live read
    private async ValueTask<(Question Question, RedisValue[]? Values)> ReadAllOfAsync(RequestSession session, string[] keys, Waiting waiting)
    {
        bool mayBeLegacy = true;
        while (true)
        {
            var database = await channel.OpenAsync(session, waiting).ConfigureAwait(false);
            if (IsKnownToBeEmpty(session.State, database)) return default;
            RedisValue[] values;
            var operation = channel.Begin(OperationKind.Read, session);
            bool isListened = operation is not null;
            var reply = Ask(session, database, out var question, keys);
            try
            {
                values = await (operation is null
                    ? waiting.ForAsync(reply)
                    : channel.ListenAsync(
                        session,
                        operation,
                        reply,
                        "reading",
                        waiting,
                        (Hash: new SessionHash(database, question.Identity.RedisKey), keys),
                        static (sent, failed) => sent.Hash.ReadAgainAsync(sent.keys, failed))).ConfigureAwait(false);
            }
            catch (Exception error) when (!isListened)
            {
                var again = reply.IsFaulted ? new SessionHash(database, question.Identity.RedisKey).ReadAgainAsync(keys, reply) : null;
                values = await channel.AfterFailureAsync(session, error, again, "reading", waiting).ConfigureAwait(false);
            }

            if (mayBeLegacy && IsNothing(values) && await HasTakenOverAsync(session, question, waiting).ConfigureAwait(false))
            {
                mayBeLegacy = false; // already looked for: an empty answer is final now
                continue;
            }

            if (Tombstone.Is(values[0]) && await revival.IsGoneAsync(session, question, waiting).ConfigureAwait(false)) continue;
            var verdict = Take(session, question, values[0]);
            if (verdict != Verdict.AskedUnderAnotherKey) return (question, verdict == Verdict.Accepted ? values : null);
        }
    }

    private Task<RedisValue[]> Ask(
        RequestSession session, IDatabase database, out Question question, params ReadOnlySpan<string> keys)
    {
        lock (session.State.Gate)
        {
            question = session.State.Ask();
            var hash = new SessionHash(database, question.Identity.RedisKey);
            refresh.WithQuestion(session, hash);
            return session.Reads.Sent(hash.ReadDirectlyAsync(keys));
        }
    }

    private Task<HashEntry[]> AskForAll(RequestSession session, IDatabase database, out Question question)
    {
        lock (session.State.Gate)
        {
            question = session.State.AskForAll();
            var hash = new SessionHash(database, question.Identity.RedisKey);
            refresh.WithQuestion(session, hash);
            return session.Reads.Sent(hash.ReadAllDirectlyAsync());
        }
    }

    private Verdict Take(RequestSession session, Question question, RedisValue generation)
    {
        Verdict verdict;
        bool hasExpired;
        lock (session.State.Gate)
        {
            verdict = session.State.Take(question, generation, out hasExpired);
            listing.Seen(session);
        }

        if (hasExpired)
        {
            channel.Logger.AccessingExpiredSession(session.Id);
            channel.Metrics.SessionEnded(SessionEndReason.Expired);
        }

        return verdict;
    }

    /// <summary>Processes a snapshot; null if it was requested under another key.</summary>
    private SessionSnapshot? Arrived(
        RequestSession session, Question question, SessionSnapshot snapshot, RedisValue generation, bool keep)
    {
        bool isLogged = channel.Logger.IsEnabled(LogLevel.Debug);
        int keys = 0;
        Verdict verdict;
        lock (session.State.Gate)
        {
            // Judged and kept in one step, or another task could end the session or renew its key in between.
            verdict = Take(session, question, generation);
            if (verdict == Verdict.Ended) snapshot = SessionSnapshot.Empty();
            if (keep && verdict != Verdict.AskedUnderAnotherKey) session.State.TakeSnapshot(question, snapshot);
            else session.State.NoSnapshot();
            if (isLogged) keys = snapshot.Count; // here, because other tasks may change it from now on
        }

        if (verdict == Verdict.AskedUnderAnotherKey) return null;
        if (isLogged) channel.Logger.SessionLoaded(session.Id, keys);
        return snapshot;
    }

    /// <summary>See <see cref="SessionTakeover.HasTakenOverAsync"/>. A failure counts as a failure to read.</summary>
    private ValueTask<bool> HasTakenOverAsync(RequestSession session, Question question, Waiting waiting)
    {
        return takeover.IsDue(question) ? NotedAsync() : new(false);

        async ValueTask<bool> NotedAsync()
        {
            try
            {
                return await takeover.HasTakenOverAsync(session, question, waiting).ConfigureAwait(false);
            }
            catch (Exception error)
            {
                channel.Failed(session, error, "taking over", waiting, writes: false);
                throw;
            }
        }
    }

    private static void NotArrived(SessionState state, Question question)
    {
        if (question.Identity is null) return; // it was never asked for
        lock (state.Gate) state.NoSnapshot();
    }

    /// <summary>True if there is nothing to ask for; kept in the same step, or another task could write in between.</summary>
    private static bool IsKnownToBeEmpty(SessionState state, IDatabase database, bool keep = false)
    {
        bool isConnected = new SessionHash(database, state.Identity.RedisKey).IsConnected;
        lock (state.Gate)
        {
            bool isEmpty = state.IsKnownToBeEmpty(isConnected);
            if (isEmpty && keep) state.TakeEmptySnapshot();
            return isEmpty;
        }
    }

    /// <summary>There is no hash, or one without a generation.</summary>
    private static bool IsNothing(RedisValue[] values) => values[0].IsNull;

    private static byte[]? Reveal(Question question, RedisValue value) =>
        question.Identity.Protector is { } protector ? protector.Unprotect(value) : value;
}
