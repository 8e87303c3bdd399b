using RedisSession.Provider;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Makes the requests of one session take turns at an endpoint.</summary>
public static class ExclusiveSessionEndpointConventionBuilderExtensions
{
    /// <summary>
    /// Makes the requests of one session take turns at this endpoint or group of endpoints: see <see cref="ExclusiveSessionAttribute"/>.
    /// Each request costs one more round trip, plus the wait for other requests of the same session. Requires <c>UseRedisHashSession()</c>
    /// after routing.
    /// </summary>
    /// <typeparam name="TBuilder">The type of the endpoint convention builder.</typeparam>
    /// <param name="builder">The endpoint, or the group of endpoints.</param>
    /// <param name="wait">How long a request waits for the lock. Default: 30 seconds.</param>
    /// <param name="throws">
    /// Whether a request that does not get the lock in time throws <see cref="SessionLockTimeoutException"/>. By default, the response is
    /// 503 with <c>Retry-After</c>.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="wait"/> is negative.</exception>
    public static TBuilder WithExclusiveSession<TBuilder>(this TBuilder builder, TimeSpan? wait = null, bool throws = false)
        where TBuilder : IEndpointConventionBuilder
    {
        var exclusive = new ExclusiveSessionAttribute { Throws = throws };
        if (wait is { } time)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero, nameof(wait));
            exclusive.WaitSeconds = time.TotalSeconds;
        }

        return builder.WithMetadata(exclusive);
    }
}
