using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// The data of a session on its way to another key: copied to the new one, and later, when the old session ends, what others have written
/// to the old one meanwhile.
/// </summary>
/// <remarks>
/// Redis moves the data itself if both keys are on one server and the values are not encrypted for their session's id. Otherwise it travels
/// through the application, in portions, so that nothing waits behind a large session.
/// </remarks>
internal readonly struct SessionMove(IDatabase database, PendingRenewal renewal, SessionExpiry expiry)
{
    /// <summary>
    /// How long late requests are told that the session has ended, and how long the parked session is kept for a second renewal that began
    /// before the first had ended it; at most the idle timeout.
    /// </summary>
    public static long TombstoneMilliseconds(SessionExpiry expiry) => Math.Min(60_000, expiry.Idle);

    /// <summary>From the end of the old session until it may be put back if the response has not been sent by then.</summary>
    public const long LeaseMilliseconds = 5_000;

    /// <summary>
    /// Passed as the generation seen, before the one that was: the session ended, and if that is because its key was renewed, it is found
    /// where it is parked.
    /// </summary>
    public const string WasRenewed = "~";

    // The approximate size of a portion, plus a value or a few.
    private const int PortionBytes = 512 * 1024;

    private bool IsThroughRedis => renewal.To.Protector is null
        && database.Multiplexer.HashSlot(renewal.From.RedisKey) == database.Multiplexer.HashSlot(renewal.To.RedisKey);

    /// <summary>False when the session has ended.</summary>
    /// <param name="seen">The generation that the request has seen by then, maybe behind <see cref="WasRenewed"/>; null for none.</param>
    /// <param name="user">The new owner; null keeps the owner.</param>
    public async Task<bool> CopyAsync(Func<RedisValue> seen, string? user)
    {
        (renewal.WasThere, renewal.OldGeneration, renewal.OldOwner) = (false, default, null); // it may be the second time
        if (!IsThroughRedis) return await CopyInPortionsAsync(seen, user).ConfigureAwait(false);
        var (ttl, generationOfNew, token) = (expiry, renewal.Generation, renewal.LockToken); // a lambda cannot use a struct's own fields
        var arguments = new ScriptArguments(
            () =>
            [
                ttl.Idle, ttl.Absolute, RedisScript.OrEmpty(seen()), generationOfNew, RedisScript.OrEmpty(user), RedisScript.OrEmpty(token),
            ]);
        var reply = await RenewalScripts.Begin.RunAsync(database, renewal.Keys, arguments).ConfigureAwait(false);
        if (reply.IsNull) return false;
        var generation = (RedisValue)reply[0];
        renewal.OldGeneration = generation.IsNullOrEmpty ? RedisValue.Null : generation;
        renewal.OldOwner = (string?)reply[1] is { Length: > 0 } owner ? owner : null;
        renewal.TimeToLive = (long)reply[2];
        renewal.WasThere = (int)reply[3] == 1;
        return true;
    }

    /// <summary>Carries over what others have written meanwhile and ends the old session. False if it or the new one has ended.</summary>
    public async Task<bool> CarryOverAsync()
    {
        RedisValue seen = RedisScript.OrEmpty(renewal.OldGeneration);
        var ending = Ending;
        if (renewal.Copied is not { } copied)
        {
            var changed = renewal.Changed.Select(field => (RedisValue)field);
            RedisValue[] arguments = [seen, renewal.Generation, renewal.IsCleared, .. ending, .. changed];
            var reply = await RenewalScripts.Finish.RunAsync(database, renewal.Keys, arguments).ConfigureAwait(false);
            return !reply.IsNull && (int)reply == 1;
        }

        int parked = await ParkAsync(seen, ending).ConfigureAwait(false);
        if (parked != 1 || renewal.IsCleared) return parked > 0;
        await foreach (var portion in PortionsAsync([renewal.Keys[1]], () => seen).ConfigureAwait(false))
        {
            if (portion is null) return false;
            copied.ExceptWith(portion.Select(field => field.Name.ToString()));
            var renewed = renewal;
            var fields = portion.Where(field => !IsOfOurs(field.Name) && !renewed.HasChanged(field.Name.ToString())).ToList();
            if (await WriteAsync(user: null, isFirst: false, fields, []).ConfigureAwait(false) is null) return false;
            await ParkAsync(seen, ending).ConfigureAwait(false); // so that the lease outlasts this
        }

        // What is left was copied, but others have removed it since.
        copied.RemoveWhere(static field => IsOfOurs(field));
        copied.ExceptWith(renewal.Changed);
        return copied.Count == 0 || await WriteAsync(user: null, isFirst: false, [], copied).ConfigureAwait(false) is not null;
    }

    /// <summary>The response was sent: the old session is gone for good.</summary>
    public async Task SealAsync()
    {
        if (await TrySealAsync().ConfigureAwait(false) || !renewal.WasThere) return;

        // This process stood still for longer than the lease, so a request with the old cookie put the session back. What was written to it
        // since does not belong to the new one.
        int parked = await ParkAsync(RedisScript.OrEmpty(renewal.OldGeneration), Ending).ConfigureAwait(false);
        if (parked == 1) await TrySealAsync().ConfigureAwait(false);
    }

    private async Task<bool> TrySealAsync() =>
        (int)await RenewalScripts.Seal.RunAsync(database, renewal.Keys[..2], [TombstoneMilliseconds(expiry)]).ConfigureAwait(false) == 1;

    private RedisValue[] Ending => [expiry.Idle, TombstoneMilliseconds(expiry), LeaseMilliseconds];

    private async Task<bool> CopyInPortionsAsync(Func<RedisValue> seen, string? user)
    {
        renewal.Copied = new(StringComparer.Ordinal);
        string? token = renewal.LockToken;
        bool isFirst = true;
        await foreach (var portion in PortionsAsync(renewal.Keys[..2], seen).ConfigureAwait(false))
        {
            if (portion is null) return false;
            renewal.WasThere |= portion.Count > 0;
            if (portion.FirstOrDefault(field => field.Name == SessionHashLayout.User).Value is { IsNullOrEmpty: false } owner)
                renewal.OldOwner = owner;
            var fields = portion.Where(IsCopied).ToList();
            renewal.Copied.UnionWith(fields.Select(field => field.Name.ToString()));
            if (await WriteAsync(user, isFirst, fields, []).ConfigureAwait(false) is not { } left) return false;
            renewal.TimeToLive = left;
            isFirst = false;
        }

        return true;

        bool IsCopied(Field field) => field.Name != SessionHashLayout.Generation
            && (field.Name != SessionHashLayout.Lock || LockScripts.IsHeldBy(field.Value, token))
            && (user is null || (field.Name != SessionHashLayout.User && field.Name != SessionHashLayout.Automatic));
    }

    /// <summary>1 if the old session is parked now; 2 if there is nothing to park; 0 if it has ended.</summary>
    private async Task<int> ParkAsync(RedisValue seen, RedisValue[] ending) =>
        (int)await RenewalScripts.Park.RunAsync(database, renewal.Keys[..2], [seen, .. ending]).ConfigureAwait(false);

    /// <summary>A session in portions, its values encoded for the new key; null when it has ended.</summary>
    private async IAsyncEnumerable<IReadOnlyList<Field>?> PortionsAsync(RedisKey[] keys, Func<RedisValue> seen)
    {
        RedisValue cursor = 0;
        do
        {
            var arguments = new ScriptArguments(() => [RedisScript.OrEmpty(seen()), cursor, PortionBytes]);
            var reply = await RenewalScripts.Read.RunAsync(database, keys, arguments).ConfigureAwait(false);
            if (reply.IsNull)
            {
                yield return null;
                yield break;
            }

            cursor = (RedisValue)reply[0];
            var generation = (RedisValue)reply[1];
            if (!generation.IsNullOrEmpty)
            {
                renewal.OldGeneration = generation;
                seen = () => generation;
            }

            var content = (RedisValue[])reply[2]!;
            var expiries = (RedisValue[])reply[3]!;
            var portion = new List<Field>(content.Length / 2);
            for (int i = 0; i < content.Length; i += 2)
            {
                long ends = expiries.Length > i / 2 ? (long)expiries[i / 2] : -1;
                portion.Add(new(content[i], Recode(content[i], content[i + 1]), Math.Max(ends, 0)));
            }

            yield return portion;
        }
        while (cursor != 0);
    }

    /// <summary>The new session's time to live, in milliseconds; null if it has ended.</summary>
    private async Task<long?> WriteAsync(string? user, bool isFirst, IReadOnlyList<Field> fields, HashSet<string> removed)
    {
        var arguments = new List<RedisValue>(6 + (3 * fields.Count) + removed.Count)
        {
            expiry.Idle, expiry.Absolute, renewal.Generation, RedisScript.OrEmpty(user), isFirst, fields.Count,
        };
        foreach (var field in fields) arguments.AddRange([field.Name, field.Value, field.ExpiresAt]);
        arguments.AddRange(removed.Select(field => (RedisValue)field));
        var reply = await RenewalScripts.Write.RunAsync(database, renewal.To.RedisKey, [.. arguments]).ConfigureAwait(false);
        return reply.IsNull ? null : (long)reply;
    }

    private RedisValue Recode(RedisValue name, RedisValue value)
    {
        if (renewal.From.Protector is not { } old || IsOfOurs(name)) return value;
        return renewal.To.Protector!.Adopt((byte[])value!, old);
    }

    private static bool IsOfOurs(RedisValue name) => SessionHashLayout.SessionKeyOf(name) is null;

    /// <summary>A field with its value and its expiry in Unix milliseconds; 0 if it does not expire.</summary>
    private readonly record struct Field(RedisValue Name, RedisValue Value, long ExpiresAt);
}
