using System.Globalization;
using Microsoft.AspNetCore.Http;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>This file: changes of one key that depend on what it holds in Redis, each made there in one step.</summary>
/// <remarks>
/// What the request has changed before is confirmed first, so that they find it. What they find and do is taken into the snapshot, so that
/// the synchronous API sees it.
/// </remarks>
internal sealed partial class RedisHashSession
{
    // Each time somebody else was faster; of many at once one always gets through.
    private const int UpdateAttempts = 1_000;

    /// <summary>Reads a key and removes it.</summary>
    public async Task<SessionValue> TakeAsync(string key, CancellationToken cancellationToken)
    {
        key = SessionHashLayout.Normalize(key);
        var stored = await OperateAsync(
            FieldScripts.Take,
            key,
            [],
            reply =>
            {
                TakeIn(key, null);
                return Reveal(reply.Length > 1 ? (RedisValue)reply[1] : default);
            },
            cancellationToken).ConfigureAwait(false);
        return new(stored);
    }

    /// <summary>Sets a key that is not there: true when this was it.</summary>
    public Task<bool> TrySetAsync(string key, byte[] value, CancellationToken cancellationToken)
    {
        key = CheckSet(key, value);
        byte[] copy = [.. value];
        return OperateAsync(
            FieldScripts.SetIfAbsent,
            key,
            [Conceal(copy)],
            reply =>
            {
                bool isSet = reply[1].IsNull;
                TakeIn(key, isSet ? copy : Reveal((RedisValue)reply[1]));
                return isSet;
            },
            cancellationToken);
    }

    /// <summary>Sets a key that disappears by itself.</summary>
    public async Task SetAsync(string key, byte[] value, TimeSpan expiresIn, CancellationToken cancellationToken)
    {
        key = CheckSet(key, value);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(expiresIn, TimeSpan.Zero);
        byte[] copy = [.. value];
        bool isSet = await OperateAsync(
            FieldScripts.SetExpiring,
            key,
            [Conceal(copy), SessionExpiry.Milliseconds(expiresIn)],
            reply =>
            {
                if (reply.Length > 1) return false;
                TakeIn(key, copy);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
        if (!isSet) throw FieldErrors.NotExpiring();
    }

    /// <summary>Adds to a whole number and returns the sum.</summary>
    public async Task<long> IncrementAsync(string key, long by, CancellationToken cancellationToken)
    {
        string field = CheckSet(key, []);
        if (Protector is not null)
        {
            // Redis cannot add to what it cannot read.
            return await UpdateAsync(key, Add, cancellationToken).ConfigureAwait(false);
        }

        var (sum, refusal) = await OperateAsync<(byte[]? Sum, string? Refusal)>(
            FieldScripts.Increment,
            field,
            [by],
            reply =>
            {
                if (reply.Length > 2) return (null, (string?)reply[2]);
                byte[] sum = (byte[])reply[1]!;
                TakeIn(field, sum);
                return (sum, null);
            },
            cancellationToken).ConfigureAwait(false);
        return refusal is null ? long.Parse(sum, CultureInfo.InvariantCulture) : throw FieldErrors.NotAdded(refusal, key, Id);

        (byte[] Value, long Sum) Add(SessionValue value)
        {
            long number = 0;
            if (value.Raw is { } text && !long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number))
                throw FieldErrors.NoNumber(key, Id);
            long sum = checked(number + by);
            return (SessionText.Encode(sum), sum);
        }
    }

    /// <summary>Changes a key to what <paramref name="change"/> makes of it, as often as others are faster.</summary>
    public async Task<T> UpdateAsync<T>(
        string key, Func<SessionValue, (byte[] Value, T Result)> change, CancellationToken cancellationToken)
    {
        key = CheckSet(key, []);
        RedisValue stored = Known(key) ?? await ReadStoredAsync(key, cancellationToken).ConfigureAwait(false);
        for (int attempt = 0; attempt < UpdateAttempts; attempt++)
        {
            var (value, result) = change(new(Reveal(stored)));
            (bool isSet, stored) = await OperateAsync(
                FieldScripts.SetIfUnchanged,
                key,
                [!stored.IsNull, RedisScript.OrEmpty(stored), Conceal(value)],
                reply =>
                {
                    bool isSet = (int)reply[1] == 1;
                    var other = isSet ? default : (RedisValue)reply[2];
                    TakeIn(key, isSet ? value : Reveal(other));
                    return (isSet, other);
                },
                cancellationToken).ConfigureAwait(false);
            if (isSet) return result;

            // So that many who try at once do not meet again and again.
            if (attempt > 2) await Task.Delay(Random.Shared.Next(Math.Min(attempt, 20)), cancellationToken).ConfigureAwait(false);
        }

        throw new InvalidOperationException($"'{LogText.Line(key)}' of session {Id} was not changed: other requests change it all the time.");
    }

    /// <summary>
    /// Sends one of <see cref="FieldScripts"/>. <paramref name="takeIn"/> gets what it answers, inside the lock.
    /// </summary>
    private async Task<T> OperateAsync<T>(
        RedisScript script, string key, RedisValue[] operands, Func<RedisResult[], T> takeIn, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await ConfirmForCallerAsync(cancellationToken).ConfigureAwait(false);
        var hash = await OpenAsync(retry: false, cancellationToken).ConfigureAwait(false);
        var operation = SendOperation(hash, script, key, operands, takeIn).Observed();
        try
        {
            return await Bounded(operation, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (Failed(error, operation, "changing", RememberWriteFailure, cancellationToken) is { } timeout)
        {
            throw timeout;
        }
    }

    private Task<T> SendOperation<T>(
        SessionHash hash, RedisScript script, string key, RedisValue[] operands, Func<RedisResult[], T> takeIn)
    {
        lock (Gate)
        {
            if (_sight.IsEnded)
            {
                Refuse();
                throw new SessionEndedException(Id);
            }

            _renewed = true; // the script sets the TTL
            var change = Begin(OperationKind.Change);
            var sent = hash.ChangeFieldAsync(script, Expiry, _sight.Generation, GenerationIfNew(), key, change.Sends(operands));
            var reply = OrTakenOver(sent, _sight, hash, script, key, operands);
            var operation = change.Follow(OperateInOrderAsync(Writes.Operation, hash, _sight, reply, takeIn));
            Writes.Operation = operation;
            KeepListed(operation);
            return operation;
        }
    }

    private async Task<T> OperateInOrderAsync<T>(
        Task previous, SessionHash hash, SessionSight asked, Task<RedisResult> reply, Func<RedisResult[], T> takeIn)
    {
        await previous.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var answer = await reply.ConfigureAwait(false);
        if (_store.WaitForReplicas > 0 && !answer.IsNull) await ReplicateAsync(hash).ConfigureAwait(false);

        T taken;
        bool created;
        lock (Gate)
        {
            created = TakeIn(asked, ChangeReply.Parse(answer.IsNull ? answer : answer[0]));
            if (_sight.IsEnded)
            {
                Refuse();
                throw new SessionEndedException(Id);
            }

            taken = takeIn((RedisResult[])answer!);
        }

        ConfirmedOne(created);
        return taken;
    }

    /// <summary>
    /// Takes in what a key holds in Redis, unless the request has changed it since. Called inside the lock.
    /// </summary>
    private void TakeIn(string key, byte[]? value)
    {
        if (Writes.Decide(key, out _)) return;
        var found = new SessionChanges();
        if (value is null) found.Remove(key);
        else found.Set(key, value);
        TakeIn(found);
    }

    /// <summary>What Redis holds under a key as far as this request knows; null when it does not.</summary>
    private RedisValue? Known(string key)
    {
        if (Protector is not null) return null; // we know the value, and Redis holds something else
        if (TryGetOwn(key, out var own)) return own;
        lock (Gate) return _snapshot is { } snapshot ? (RedisValue)snapshot.Find(key) : (RedisValue?)null;
    }

    private async Task<RedisValue> ReadStoredAsync(string key, CancellationToken cancellationToken)
    {
        var hash = await OpenAsync(retry: false, cancellationToken).ConfigureAwait(false);
        if (IsKnownToBeEmpty(hash)) return default;
        var values = await ReplyAsync(Ask(hash, out var asked, key), "reading", cancellationToken).ConfigureAwait(false);
        return Saw(asked, values[0]) ? values[1] : default;
    }

    private RedisValue Conceal(byte[] value) => Protector is { } protector ? protector.Protect(value) : value;
}
