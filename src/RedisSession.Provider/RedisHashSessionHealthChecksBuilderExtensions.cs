using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using RedisSession.Provider;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds a health check for the Redis server that sessions use.</summary>
public static class RedisHashSessionHealthChecksBuilderExtensions
{
    /// <summary>
    /// Adds a check of whether sessions can be read and written: on the sessions' own connection, with the permissions that sessions need,
    /// under their key prefix, leaving nothing behind. Two round trips.
    /// </summary>
    /// <param name="builder">The health checks: <c>services.AddHealthChecks()</c>.</param>
    /// <param name="name">The name of the check.</param>
    /// <param name="failureStatus">
    /// The status to report when Redis is unavailable, refuses scripts or is read-only; null: unhealthy.
    /// </param>
    /// <param name="tags">Tags for filtering checks.</param>
    /// <param name="timeout">How long the check may take; null: about five seconds for each step.</param>
    /// <remarks>
    /// The report's data: <c>latency_ms</c>, the duration of the read in milliseconds (a double); <c>servers</c> and
    /// <c>servers_connected</c>, the number of servers that the client knows and is connected to. On a cluster, only the server that holds
    /// the check's key is queried. The check does not throw: the report contains the exception, but its description never contains the
    /// exception's message.
    /// </remarks>
    /// <exception cref="InvalidOperationException">
    /// Thrown when the check is created, not here: <c>AddRedisHashSession</c> was not called on the service collection.
    /// </exception>
    public static IHealthChecksBuilder AddRedisHashSession(
        this IHealthChecksBuilder builder,
        string name = "redis-session",
        HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null,
        TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(name);
        return builder.Add(new(name, Create, failureStatus, tags, timeout));
    }

    private static SessionHealthCheck Create(IServiceProvider services)
    {
        var connection = services.GetService<RedisConnection>() ?? throw new InvalidOperationException(
            "The AddRedisHashSession health check requires the services of AddRedisHashSession: call it on the service collection.");
        return new(
            connection, services.GetRequiredService<IOptions<RedisHashSessionOptions>>(), services.GetRequiredService<LifecycleQueue>().HasHandlers);
    }
}
