namespace RedisSession.Provider;

/// <summary>What Redis says about a session without its values: <see cref="SessionHash.DescribeAsync"/>.</summary>
/// <param name="Generation">Which life of the session this is; null when another program has made it.</param>
/// <param name="User">Null when it is nobody's.</param>
/// <param name="Created">Unix milliseconds; null when that is not there.</param>
/// <param name="LockedSince">Unix milliseconds; null when no request has it to itself.</param>
/// <param name="TimeToLive">Null when the hash has no TTL.</param>
/// <param name="KeyCount">Session keys, ours not counted.</param>
/// <param name="Size">In bytes; null when the server does not say.</param>
internal sealed record SessionDetails(
    string? Generation, string? User, long? Created, long? LockedSince, TimeSpan? TimeToLive, long KeyCount, long? Size);
