using System.Diagnostics;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// Does once what sessions do all day: reads a hash, and changes one with a script, under the key prefix of the sessions. Two round trips.
/// Tells what is wrong by Redis's error code and never by its message, which is not for everybody who may see a health page.
/// </summary>
internal sealed class SessionHealthCheck(RedisConnection connection, IOptions<RedisHashSessionOptions> options) : IHealthCheck
{
    // As long as the client itself waits, unless the application has said how long the check may take.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    // No session id is as short.
    private readonly RedisKey _key = SessionHashLayout.KeyOf(options.Value.KeyPrefix, "health-check");

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var patience = context.Registration.Timeout > TimeSpan.Zero ? Timeout.InfiniteTimeSpan : Patience;
        var data = new Dictionary<string, object>();
        bool runsScript = false;
        try
        {
            var database = await connection.GetDatabaseAsync().AsTask().WaitAsync(patience, cancellationToken).ConfigureAwait(false);
            NoteServers(database.Multiplexer, data);

            long start = Stopwatch.GetTimestamp();
            await new SessionHash(database, _key).ReadAsync([]).WaitAsync(patience, cancellationToken).ConfigureAwait(false);
            data["latency_ms"] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;

            runsScript = true;
            await ProbeScript.WriteAndRemove.RunAsync(database, _key, []).WaitAsync(patience, cancellationToken).ConfigureAwait(false);
            return HealthCheckResult.Healthy("Redis answers and runs scripts.", data);
        }
        catch (Exception error)
        {
            return new(context.Registration.FailureStatus, $"{Describe(error, runsScript)}{CodeOf(error)}.", error, data);
        }
    }

    private static void NoteServers(IConnectionMultiplexer multiplexer, Dictionary<string, object> data)
    {
        var servers = multiplexer.GetServers();
        data["servers"] = servers.Length;
        data["servers_connected"] = servers.Count(server => server.IsConnected);
    }

    private static string Describe(Exception error, bool runsScript) => error switch
    {
        TimeoutException or OperationCanceledException => "Redis does not answer in time",
        RedisServerException { Kind: RedisErrorKind.ReadOnly } => "Redis is read-only, as replicas are",
        RedisServerException { Kind: RedisErrorKind.OutOfMemory } => "Redis has no memory left for writes",
        { InnerException: RedisConnectionException { FailureType: ConnectionFailureType.AuthenticationFailure } } =>
            "Redis does not accept the user and password",
        RedisServerException or RedisCommandException => runsScript
            ? "Redis answers, but the scripts that sessions need are refused"
            : "Redis answers, but reading sessions is refused",
        _ => "No Redis that takes writes can be reached",
    };

    private static string CodeOf(Exception error) => ErrorType.CodeOf(error) is { } code ? $" ({code})" : "";
}
