using System.Diagnostics;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// Does once what sessions do all day: reads a hash, and changes one with a script, under the sessions' key prefix, with each command that
/// they need. Two round trips. Reports Redis's error code and never its message, which not everyone who can see a health page should see.
/// </summary>
/// <param name="connection">The sessions' connection.</param>
/// <param name="options">The sessions' options.</param>
/// <param name="hasHandlers">Whether there are session lifecycle handlers, which need additional permissions.</param>
internal sealed class SessionHealthCheck(
    RedisConnection connection, IOptions<RedisHashSessionOptions> options, bool hasHandlers) : IHealthCheck
{
    private const string Reading = "Redis answers, but reading sessions is refused";

    private const string Away = "No Redis server that accepts writes can be reached";

    private const string Name = "health-check"; // shorter than any id

    // As long as the client itself waits, unless the application has configured how long the check may take.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan PatienceWithReplicas = TimeSpan.FromSeconds(1);

    private readonly RedisHashSessionOptions _options = options.Value;

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var patience = context.Registration.Timeout > TimeSpan.Zero ? Timeout.InfiniteTimeSpan : Patience;
        var data = new Dictionary<string, object>();
        var step = Step.Connecting;
        Exception? readingError = null;
        try
        {
            var database = await connection.GetDatabaseAsync().AsTask().WaitAsync(patience, cancellationToken).ConfigureAwait(false);
            var hash = new SessionHash(database, SessionHashLayout.KeyOf(_options.KeyPrefix, Name));
            NoteServers(database.Multiplexer, data);
            if (!hash.IsConnected)
            {
                return await WhyNotAsync(patience, cancellationToken).ConfigureAwait(false) is { } why
                    ? Bad(why.Reason, why.Error)
                    : Bad(Away, new RedisConnectionException(ConnectionFailureType.UnableToConnect, CommandFlags.DemandMaster, Away));
            }

            step = Step.Reading;
            long start = Stopwatch.GetTimestamp();
            var identity = connection.FindWrongUserAsync().Observed();
            readingError = await ReadAsync(hash, patience, cancellationToken).ConfigureAwait(false);
            data["latency_ms"] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            if (await identity.WaitAsync(patience, cancellationToken).ConfigureAwait(false) is { } mistake)
            {
                return Bad($"Redis did not accept the password of '{mistake.Wanted}' and treats the connection as '{mistake.Actual}'");
            }

            step = Step.Writing;
            string[] refused = await FindRefusedAsync(database).WaitAsync(patience, cancellationToken).ConfigureAwait(false);
            if (refused.Length > 0)
            {
                return Bad($"Redis answers, but its user has no permission for {string.Join(", ", refused)}", readingError);
            }

            if (readingError is not null) return Bad(ReadingIsRefused(readingError), readingError);
            return await LackOfReplicasAsync(hash, patience, cancellationToken).ConfigureAwait(false) is { } lack
                ? Bad(lack)
                : HealthCheckResult.Healthy("Redis answers and runs scripts.", data);
        }
        catch (Exception error)
        {
            bool isLate = step == Step.Connecting && error is TimeoutException;
            if (isLate && await WhyNotAsync(patience, cancellationToken).ConfigureAwait(false) is { } late) return Bad(late.Reason, late.Error);

            // A missing read permission says more than the errors that follow from it.
            bool isRight = readingError is not null && error is RedisServerException;
            return isRight ? Bad(ReadingIsRefused(readingError!), readingError) : Bad(Describe(error, step) + CodeOf(error), error);
        }

        HealthCheckResult Bad(string description, Exception? error = null) =>
            new(context.Registration.FailureStatus, description + ".", error, data);
    }

    private static void NoteServers(IConnectionMultiplexer multiplexer, Dictionary<string, object> data)
    {
        var servers = multiplexer.GetServers();
        data["servers"] = servers.Length;
        data["servers_connected"] = servers.Count(server => server.IsConnected);
    }

    private async Task<RefusalProbe.Refusal?> WhyNotAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (patience != Timeout.InfiniteTimeSpan) ended.CancelAfter(patience);
        try
        {
            return await connection.FindRefusalAsync(ended.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>Returns the error if the permission to read is missing: the check continues, because others may be missing too.</summary>
    private static async Task<Exception?> ReadAsync(SessionHash hash, TimeSpan patience, CancellationToken cancellationToken)
    {
        try
        {
            await hash.ReadDirectlyAsync([]).WaitAsync(patience, cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (RedisServerException error) when (error.Kind is RedisErrorKind.NoPermission or RedisErrorKind.NotPermitted)
        {
            return error;
        }
    }

    private async Task<string[]> FindRefusedAsync(IDatabase database)
    {
        List<Task<string[]>> looks =
        [
            ProbeScript.FindRefusedAsync(
                database,
                SessionHashLayout.KeyOf(_options.KeyPrefix, Name),
                MovesInPortions(database.Multiplexer) ? ProbeScript.MovedHash : ProbeScript.Hash),
            ProbeScript.FindRefusedAsync(database, $"{_options.KeyPrefix}users:{Name}", ProbeScript.List),
        ];
        if (hasHandlers)
        {
            looks.Add(ProbeScript.FindRefusedAsync(database, SessionHashLayout.OwnerKeyOf(_options.KeyPrefix, Name), ProbeScript.Text));
        }

        if (_options.InstanceNameOfLeft is { } left) looks.Add(ProbeScript.FindRefusedAsync(database, left + Name, ProbeScript.Hash));
        return [.. (await Task.WhenAll(looks).ConfigureAwait(false)).SelectMany(refused => refused).Distinct()];
    }

    /// <summary>Whether Redis cannot copy a session to its new key itself: see <see cref="SessionMove"/>.</summary>
    private bool MovesInPortions(IConnectionMultiplexer multiplexer) => _options.ProtectValues
        || multiplexer.HashSlot(SessionHashLayout.KeyOf(_options.KeyPrefix, Name))
            != multiplexer.HashSlot(SessionHashLayout.KeyOf(_options.KeyPrefix, "another"));

    private async Task<string?> LackOfReplicasAsync(SessionHash hash, TimeSpan patience, CancellationToken cancellationToken)
    {
        if (_options.WaitForReplicas <= 0) return null;
        var reply = hash.WaitForReplicasAsync(_options.WaitForReplicas, PatienceWithReplicas);
        int replicas = (int)await reply.WaitAsync(patience, cancellationToken).ConfigureAwait(false);
        return replicas >= _options.WaitForReplicas
            ? null
            : $"Redis answers, but only {replicas} of the {_options.WaitForReplicas} replicas required by WaitForReplicas follow: "
                + "every write fails";
    }

    private static string Describe(Exception error, Step step) => error switch
    {
        TimeoutException or OperationCanceledException => "Redis does not answer in time",
        RedisServerException { Kind: RedisErrorKind.ReadOnly } => "Redis is read-only, like a replica",
        RedisServerException { Kind: RedisErrorKind.OutOfMemory } => "Redis has no memory left for writes",
        RedisServerException { Kind: RedisErrorKind.NoReplicas } => "Redis refuses writes because too few replicas are connected",
        RedisServerException or RedisCommandException => step == Step.Writing
            ? "Redis answers, but the scripts that sessions need are refused"
            : Reading,
        _ => Away,
    };

    private static string ReadingIsRefused(Exception error) => Reading + CodeOf(error);

    private static string CodeOf(Exception error) => ErrorType.CodeOf(error) is { } code ? $" ({code})" : "";

    private enum Step
    {
        Connecting,
        Reading,
        Writing,
    }
}
