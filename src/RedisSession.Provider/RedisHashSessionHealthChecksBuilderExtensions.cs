using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using RedisSession.Provider;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the sessions' Redis to an application's health checks.</summary>
public static class RedisHashSessionHealthChecksBuilderExtensions
{
    /// <summary>
    /// Adds a check whether sessions can be read and written: on their own connection, with the rights that they need, under their key
    /// prefix, leaving nothing behind. Two round trips.
    /// </summary>
    /// <param name="builder">The health checks: <c>services.AddHealthChecks()</c>.</param>
    /// <param name="name">The name of the check.</param>
    /// <param name="failureStatus">What to report when Redis is away, refuses scripts or is read-only; null: unhealthy.</param>
    /// <param name="tags">Tags to choose checks by.</param>
    /// <param name="timeout">How long the check may take; null: about five seconds for each step.</param>
    /// <remarks>
    /// The data of the report: <c>latency_ms</c>, how long the read took in milliseconds (a double); <c>servers</c> and
    /// <c>servers_connected</c>, how many servers the client knows and has a connection to. On a cluster one server is asked, the one that
    /// holds the check's key. The check does not throw; the report has the exception, the description never its message.
    /// </remarks>
    /// <exception cref="InvalidOperationException">
    /// Thrown when the check is made, not here: <c>AddRedisHashSession</c> was not called on the service collection.
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
            "The health check AddRedisHashSession needs the services of AddRedisHashSession: call it on the service collection.");
        return new(
            connection, services.GetRequiredService<IOptions<RedisHashSessionOptions>>(), services.GetRequiredService<LifecycleQueue>().HasHandlers);
    }
}
