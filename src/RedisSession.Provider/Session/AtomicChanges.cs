using System.Globalization;
using Microsoft.AspNetCore.Http;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>Changes to one key that depend on what it holds in Redis, each made there in one step.</summary>
/// <remarks>
/// The request's earlier changes are confirmed first, so that these see them. What these find and do goes into the snapshot, so that the
/// synchronous API sees it.
/// </remarks>
internal sealed class AtomicChanges(
    SessionChannel channel,
    SessionReader reader,
    SessionWriter writer,
    ExpiryRefresh refresh,
    SessionListing listing,
    SessionTakeover takeover,
    SessionRevival revival,
    SessionNames names)
{
    // Each failed attempt means another was faster; one of many always gets through.
    private const int UpdateAttempts = 1_000;

    /// <summary>Reads a key and removes it.</summary>
    public async Task<SessionValue> TakeAsync(RequestSession session, string key, CancellationToken cancellationToken)
    {
        key = SessionHashLayout.Normalize(key);
        var stored = await RunAsync(
            session,
            FieldScripts.Take,
            key,
            _ => [],
            (identity, reply) =>
            {
                var value = reply.Length > 1 ? (RedisValue)reply[1] : default;
                session.State.TakeIn(key, null);
                return (Reveal(identity, value), !value.IsNull);
            },
            cancellationToken).ConfigureAwait(false);
        return new(stored);
    }

    /// <summary>Sets a key if it is absent; true if this call set it.</summary>
    public Task<bool> TrySetAsync(RequestSession session, string key, byte[] value, CancellationToken cancellationToken)
    {
        key = session.CheckSet(key, value);
        byte[] copy = [.. value];
        return RunAsync(
            session,
            FieldScripts.SetIfAbsent,
            key,
            identity => [Conceal(identity, copy)],
            (identity, reply) =>
            {
                bool isSet = reply[1].IsNull;
                session.State.TakeIn(key, isSet ? copy : Reveal(identity, (RedisValue)reply[1]));
                return (isSet, isSet);
            },
            cancellationToken);
    }

    /// <summary>Sets a key that expires on its own.</summary>
    public async Task SetAsync(
        RequestSession session, string key, byte[] value, TimeSpan expiresIn, CancellationToken cancellationToken)
    {
        key = session.CheckSet(key, value);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(expiresIn, TimeSpan.Zero);
        byte[] copy = [.. value];
        bool isSet = await RunAsync(
            session,
            FieldScripts.SetExpiring,
            key,
            identity => [Conceal(identity, copy), SessionExpiry.Milliseconds(expiresIn)],
            (_, reply) =>
            {
                if (reply.Length > 1) return (false, false);
                session.State.TakeIn(key, copy);
                return (true, true);
            },
            cancellationToken).ConfigureAwait(false);
        if (!isSet) throw FieldErrors.NotExpiring();
    }

    /// <summary>Adds to a whole number and returns the sum.</summary>
    public async Task<long> IncrementAsync(RequestSession session, string key, long by, CancellationToken cancellationToken)
    {
        string field = session.CheckSet(key, []);
        if (session.State.Identity.Protector is not null)
        {
            // Redis cannot add to what it cannot read.
            return await UpdateAsync(session, key, Add, keepsExpiry: true, cancellationToken).ConfigureAwait(false);
        }

        var (sum, refusal) = await RunAsync<(byte[]? Sum, string? Refusal)>(
            session,
            FieldScripts.Increment,
            field,
            _ => [by],
            (_, reply) =>
            {
                if (reply.Length > 2) return ((null, (string?)reply[2]), false);
                byte[] sum = (byte[])reply[1]!;
                session.State.TakeIn(field, sum);
                return ((sum, null), true);
            },
            cancellationToken).ConfigureAwait(false);
        return refusal is null ? long.Parse(sum, CultureInfo.InvariantCulture) : throw FieldErrors.NotAdded(refusal, key, session.Id);

        (byte[] Value, long Sum) Add(SessionValue value)
        {
            long number = 0;
            if (value.Raw is { } text && !IsWholeNumber(text, out number)) throw FieldErrors.NoNumber(key, session.Id);
            if (by > 0 ? number > long.MaxValue - by : number < long.MinValue - by) throw FieldErrors.TooLarge(key, session.Id);
            return (SessionText.Encode(number + by), number + by);
        }
    }

    /// <summary>Sets a key to what <paramref name="change"/> makes of it, and retries while others are faster.</summary>
    /// <param name="session">The session.</param>
    /// <param name="key">The session key.</param>
    /// <param name="change">Makes the new value of the old one.</param>
    /// <param name="keepsExpiry">Whether the key keeps its own expiry, as with HINCRBY; it loses it otherwise, as with any set.</param>
    /// <param name="cancellationToken">The caller's.</param>
    public async Task<T> UpdateAsync<T>(
        RequestSession session,
        string key,
        Func<SessionValue, (byte[] Value, T Result)> change,
        bool keepsExpiry,
        CancellationToken cancellationToken)
    {
        key = session.CheckSet(key, []);
        var stored = Known(session, key) ?? await ReadStoredAsync(session, key, cancellationToken).ConfigureAwait(false);
        for (int attempt = 0; attempt < UpdateAttempts; attempt++)
        {
            byte[]? before = Reveal(stored.Identity, stored.Value);
            if (before is null && !stored.Value.IsNull) throw FieldErrors.NotDecrypted(key, session.Id);
            var (value, result) = change(new(before));
            var expected = stored;
            (bool isSet, stored) = await RunAsync(
                session,
                FieldScripts.SetIfUnchanged,
                key,
                identity => [!expected.Value.IsNull, RedisScript.OrEmpty(expected.Value), Conceal(identity, value), keepsExpiry],
                (identity, reply) =>
                {
                    bool isSet = (int)reply[1] == 1;
                    var other = isSet ? default : (RedisValue)reply[2];
                    session.State.TakeIn(key, isSet ? value : Reveal(identity, other));
                    return ((isSet, new Stored(identity, other)), isSet);
                },
                cancellationToken).ConfigureAwait(false);
            if (isSet) return result;

            // Back off, so that concurrent updates do not keep colliding.
            if (attempt > 2) await Task.Delay(Random.Shared.Next(Math.Min(attempt, 20)), cancellationToken).ConfigureAwait(false);
        }

        throw new InvalidOperationException(
            $"'{LogText.Line(key)}' of session {session.Id} was not changed because other requests keep changing it.");
    }

    /// <summary>Sends one of <see cref="FieldScripts"/>.</summary>
    /// <param name="session">The session.</param>
    /// <param name="script">Which one.</param>
    /// <param name="key">The session key.</param>
    /// <param name="operands">The script's operands, for the identity it is sent under.</param>
    /// <param name="takeIn">Receives the reply, inside the lock, and tells whether anything was changed.</param>
    /// <param name="cancellationToken">The caller's.</param>
    private async Task<T> RunAsync<T>(
        RequestSession session,
        RedisScript script,
        string key,
        Func<SessionIdentity, RedisValue[]> operands,
        Func<SessionIdentity, RedisResult[], (T Taken, bool IsChanged)> takeIn,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var waiting = channel.Within(session, cancellationToken);
        bool asText = false;
        while (true)
        {
            await writer.ClearTheWayAsync(session, cancellationToken).ConfigureAwait(false);
            var database = await channel.OpenAsync(session, waiting).ConfigureAwait(false);
            if (Send(session, database, script, asText, key, operands, takeIn)?.Observed() is not { } attempt) continue;
            var (isMade, taken) = await channel.ReplyAsync(session, operation: null, attempt, "changing", waiting, writes: true)
                .ConfigureAwait(false);
            if (isMade) return taken;

            // The server does not have the script. The resend runs after whatever was sent behind it.
            asText = true;
        }
    }

    /// <summary>
    /// Null while the session moves to another key, another change waits for a takeover, or earlier changes are in flight: if those have to
    /// be resent, they must not arrive after this one.
    /// </summary>
    private Task<(bool IsMade, T Taken)>? Send<T>(
        RequestSession session,
        IDatabase database,
        RedisScript script,
        bool asText,
        string key,
        Func<SessionIdentity, RedisValue[]> operands,
        Func<SessionIdentity, RedisResult[], (T Taken, bool IsChanged)> takeIn)
    {
        var state = session.State;
        lock (state.Gate)
        {
            if (session.WhatToWaitFor is not null) return null;
            if (state.HasEnded)
            {
                writer.Refuse(session);
                throw new SessionEndedException(session.Id);
            }

            if (!state.AreChangesConfirmed) return null;
            session.Renewal?.Note(key);
            var question = state.Ask();
            var change = channel.Begin(OperationKind.Change, session);
            var sent = SendScript(session, question, database, script, asText, key, change.Sends(operands(question.Identity)));
            var operation = change.Follow(FinishAsync(session, session.Operation, question, database, script, key, operands, sent, takeIn));
            session.Operation = operation;
            if (takeover.IsDue(question)) session.ChangeToWaitFor = operation;
            listing.Keep(session, operation);
            return operation;
        }
    }

    private SentScript SendScript(
        RequestSession session,
        Question question,
        IDatabase database,
        RedisScript script,
        bool asText,
        string key,
        RedisValue[] operands)
    {
        var arguments = FieldScripts.ArgumentsOf(
            session.Timeouts.Expiry,
            !asText && refresh.IsRecentForWrite(session), // the refresh that went with the first may not have been made either
            question.Sight.Generation,
            session.State.NewGeneration(takeover.IsDue(question)),
            [SessionHashLayout.FieldOf(key), .. operands]);
        if (session.Lock is { } held) (script, arguments) = held.Guard(script, arguments, channel.NameOf(names.LockChannel));
        var redisKey = question.Identity.RedisKey;
        return asText
            ? new(script, database, arguments, script.SendTextAsync(database, redisKey, new(arguments)))
            : script.SendDirectly(database, redisKey, arguments);
    }

    /// <summary>The outcome of the change; not made if the server does not have the script.</summary>
    private async Task<(bool IsMade, T Taken)> FinishAsync<T>(
        RequestSession session,
        Task previous,
        Question question,
        IDatabase database,
        RedisScript script,
        string key,
        Func<SessionIdentity, RedisValue[]> operands,
        SentScript sent,
        Func<SessionIdentity, RedisResult[], (T Taken, bool IsChanged)> takeIn)
    {
        var state = session.State;
        var renewal = session.Renewal; // where this was noted: it begins inside the lock
        await previous.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await ((Task)sent.Reply).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var reply = sent.Reply.IsFaulted
            ? await sent.AfterFailureAsync(question.Identity.RedisKey, () => state.GenerationNow).ConfigureAwait(false)
            : sent.Reply;
        if (await AnswerAsync(question, reply).ConfigureAwait(false) is not { } answer)
        {
            lock (state.Gate) renewal?.Unnote(key);
            return default;
        }

        bool isToBeSentAgain = SessionRevival.IsDue(question, answer.IsNull)
            && await revival.IsGoneAsync(session, question, Waiting.Asynchronously).ConfigureAwait(false);
        if (takeover.IsDue(question) && !answer.IsNull && ((RedisValue)answer[0]).IsNullOrEmpty)
        {
            await takeover.SettleAsync(session, question, Waiting.Asynchronously).ConfigureAwait(false);
            isToBeSentAgain = true;
        }

        if (isToBeSentAgain) answer = await SendAgainAsync().ConfigureAwait(false);
        if (!answer.IsNull) await writer.ReplicateAsync(session, database, question.Identity).ConfigureAwait(false);

        T taken;
        bool isCreated;
        lock (state.Gate)
        {
            isCreated = state.TakeReply(question, ChangeReply.Parse(answer.IsNull ? answer : answer[0]));
            if (state.HasEnded)
            {
                writer.Refuse(session);
                throw new SessionEndedException(session.Id);
            }

            (taken, bool isChanged) = takeIn(question.Identity, (RedisResult[])answer!);
            if (!isChanged) renewal?.Unnote(key);
            listing.Seen(session, isCreated);
        }

        if (isCreated) writer.HasCreated(session);
        return (true, taken);

        // With what the request knows by now: a session ended since is not created again.
        async Task<RedisResult> SendAgainAsync()
        {
            Task<RedisResult>? again = null;
            lock (state.Gate)
            {
                question = state.Ask();
                if (!state.HasEnded)
                    again = SendScript(session, question, database, script, asText: true, key, operands(question.Identity)).Reply;
            }

            return again is null ? RedisResult.Create(RedisValue.Null) : (await AnswerAsync(question, again).ConfigureAwait(false))!;
        }
    }

    /// <summary>Null when the server does not have the script.</summary>
    private static async Task<RedisResult?> AnswerAsync(Question question, Task<RedisResult> sent)
    {
        try
        {
            return await sent.ConfigureAwait(false);
        }
        catch (RedisServerException error) when (RedisScript.IsMissing(error))
        {
            return null;
        }
        catch (RedisServerException error) when (LockScripts.IsLost(error))
        {
            throw new SessionLockLostException(question.Identity.Id);
        }
    }

    /// <summary>What Redis holds under a key, as far as this request knows; null if it does not know.</summary>
    private static Stored? Known(RequestSession session, string key)
    {
        var state = session.State;
        if (state.Identity.Protector is not null) return null; // we know the plain value, but Redis holds another
        if (state.TryGetOwn(key, out var own)) return new(state.Identity, own);
        lock (state.Gate) return state.Snapshot is { } snapshot ? new(state.Identity, snapshot.Find(key)) : null;
    }

    private async Task<Stored> ReadStoredAsync(RequestSession session, string key, CancellationToken cancellationToken)
    {
        var (identity, value) = await reader.ReadStoredAsync(session, key, channel.Within(session, cancellationToken)).ConfigureAwait(false);
        return new(identity ?? session.State.Identity, value);
    }

    /// <summary>As HINCRBY wants it: the text of a number, and no other with the same value, such as +5 or 007.</summary>
    private static bool IsWholeNumber(byte[] text, out long number) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number)
        && text.AsSpan().SequenceEqual(SessionText.Encode(number));

    private static RedisValue Conceal(SessionIdentity identity, byte[] value) =>
        identity.Protector is { } protector ? protector.Protect(value) : value;

    private static byte[]? Reveal(SessionIdentity identity, RedisValue value) =>
        identity.Protector is { } protector ? protector.Unprotect(value) : value;

    /// <summary>What Redis holds under a session key, and the identity it was found under.</summary>
    private readonly record struct Stored(SessionIdentity Identity, RedisValue Value);
}
