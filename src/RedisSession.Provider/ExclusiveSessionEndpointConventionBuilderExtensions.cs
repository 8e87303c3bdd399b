using RedisSession.Provider;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Lets the requests of one session take turns at an endpoint.</summary>
public static class ExclusiveSessionEndpointConventionBuilderExtensions
{
    /// <summary>
    /// The requests of one session take turns at this endpoint, or these: see <see cref="ExclusiveSessionAttribute"/>. One more round trip
    /// for each request, and the wait for others of the same session. It needs <c>UseRedisHashSession()</c> after routing.
    /// </summary>
    /// <typeparam name="TBuilder">The kind of endpoint.</typeparam>
    /// <param name="builder">The endpoint.</param>
    /// <param name="wait">How long a request waits for its turn. Default: 30 seconds.</param>
    /// <param name="throws">
    /// Whether a request that has waited in vain throws <see cref="SessionLockTimeoutException"/>. By default it is answered with 503 and
    /// <c>Retry-After</c>.
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
