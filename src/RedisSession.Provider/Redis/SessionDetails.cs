namespace RedisSession.Provider;

/// <summary>What Redis says about a session without its values: <see cref="SessionHash.DescribeAsync"/>.</summary>
/// <param name="Generation">The session's generation; null if another program created it.</param>
/// <param name="User">Null if it has no owner.</param>
/// <param name="Created">Unix milliseconds; null if missing.</param>
/// <param name="LockedSince">Unix milliseconds; null if no request holds its lock.</param>
/// <param name="TimeToLive">Null when the hash has no TTL.</param>
/// <param name="KeyCount">Session keys, ours not counted.</param>
/// <param name="Size">In bytes; null when the server does not say.</param>
internal sealed record SessionDetails(
    string? Generation, string? User, long? Created, long? LockedSince, TimeSpan? TimeToLive, long KeyCount, long? Size);
