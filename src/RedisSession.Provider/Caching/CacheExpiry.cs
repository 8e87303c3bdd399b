using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Caching.Distributed;

namespace RedisSession.Provider;

/// <summary>When a cache entry expires, as stored in its hash: see <see cref="RedisHashCache"/> for the rules. Pure.</summary>
/// <param name="Absolute">The absolute expiration, in UTC ticks since the year 1; <see cref="None"/> for none.</param>
/// <param name="Sliding">How long it lives after each use, in ticks; <see cref="None"/> for no such limit.</param>
/// <param name="TimeToLive">The resulting TTL of the key when the entry is written, in milliseconds; null for no TTL.</param>
internal readonly record struct CacheExpiry(long Absolute, long Sliding, long? TimeToLive)
{
    /// <summary>The value of a field if there is no such limit.</summary>
    public const long None = -1;

    /// <exception cref="ArgumentOutOfRangeException">
    /// The entry would already have expired, or would expire after the year 9999.
    /// </exception>
    [SuppressMessage("Usage", "CA2208", Justification = "The option's name, as RedisCache says it.")]
    public static CacheExpiry From(DistributedCacheEntryOptions options, DateTimeOffset now)
    {
        if (options.AbsoluteExpiration <= now)
        {
            throw new ArgumentOutOfRangeException(
                nameof(options.AbsoluteExpiration), options.AbsoluteExpiration, "The absolute expiration value must be in the future.");
        }

        var absolute = options.AbsoluteExpirationRelativeToNow is { } relative ? now + relative : options.AbsoluteExpiration;
        long? left = absolute is { } end ? Milliseconds(end - now) : null;
        long? window = options.SlidingExpiration is { } sliding ? Milliseconds(sliding) : null;
        return new(
            absolute?.UtcTicks ?? None,
            options.SlidingExpiration?.Ticks ?? None,
            left < window ? left : window ?? left);
    }

    /// <summary>Rounded up, so that a time of less than a millisecond does not expire at once.</summary>
    private static long Milliseconds(TimeSpan time) => Math.Min((long)Math.Ceiling(time.TotalMilliseconds), SessionExpiry.Never);
}
