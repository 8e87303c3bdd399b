using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>How operations reach Redis: gets the database, bounds the wait for a reply, and records failures.</summary>
internal sealed class SessionChannel(
    RedisConnection connection,
    SessionTelemetry telemetry,
    SessionMetrics metrics,
    IOptions<RedisHashSessionOptions> options,
    ILogger<RedisHashSession> logger)
{
    // How long a request that has met an outage fails without asking again, so that it costs a request one wait and not one for each access.
    private const int FailureMilliseconds = 1_000;

    private readonly FailureMode _failureMode = options.Value.FailureMode;

    // The client ends a wait after its own timeout. A takeover may wait for a cache that waits for ever.
    private readonly bool _mayWaitForOthers = options.Value.TakesOverFromCache || options.Value.InstanceNameOfLeft is not null;

    public ILogger Logger { get; } = logger;

    public SessionMetrics Metrics { get; } = metrics;

    /// <summary>The database, once there is a connection.</summary>
    public IDatabase? OpenDatabase => connection.OpenDatabase;

    public bool IsGarnet => connection.IsGarnet;

    /// <summary>What a script must publish to for those who subscribe to a channel through the client.</summary>
    public string NameOf(RedisChannel channel) => connection.ChannelPrefix + channel;

    /// <summary>Whether the application wants failures thrown where ASP.NET Core's session would go on.</summary>
    public bool Throws => _failureMode == FailureMode.Throw;

    /// <summary>Awaits, no longer than the IOTimeout and the caller's token allow.</summary>
    public Waiting Within(RequestSession session, CancellationToken cancellationToken) =>
        IsBoundedByClient(session) && !cancellationToken.CanBeCanceled
            ? Waiting.Asynchronously
            : Waiting.Within(session.Timeouts.IO, cancellationToken);

    /// <summary>A second timer is only needed to wait for less than the client does on its own.</summary>
    public bool IsBoundedByClient(RequestSession session) =>
        !_mayWaitForOthers && (session.Timeouts.IO == Timeout.InfiniteTimeSpan || connection.ReplyTimeout < session.Timeouts.IO);

    /// <summary>Call right before sending something; null when nobody listens.</summary>
    public RunningOperation? Begin(OperationKind kind, RequestSession session) => telemetry.Begin(kind, session);

    /// <summary>A request may outlive an outage, as one behind a WebSocket does: it asks again once the connection is back.</summary>
    public void ForgetPastFailure(RequestSession session)
    {
        var state = session.State;
        if (Environment.TickCount64 - state.FailedAt < FailureMilliseconds || OpenDatabase is not { } database) return;
        if (!new SessionHash(database, state.Identity.RedisKey).IsConnected) return;
        lock (state.Gate) state.ForgetFailure();
    }

    /// <summary>The database. After an earlier failure in this request, fails at once unless told to retry.</summary>
    public ValueTask<IDatabase> OpenAsync(RequestSession session, Waiting waiting, bool retry = false)
    {
        waiting.ThrowIfCancelled();
        if (!retry) session.State.Failure?.Throw();
        var database = connection.GetDatabaseAsync();
        return database.IsCompletedSuccessfully
            ? database
            : new(ReplyAsync(session, Begin(OperationKind.Connect, session), database.AsTask(), "connecting", waiting).AsTask());
    }

    /// <summary>
    /// The reply to what was asked. Whatever ends the wait is recorded as a failure to read, unless the caller cancelled.
    /// </summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))] // one for each command: it allocates nothing
    public async ValueTask<T> ReplyAsync<T>(
        RequestSession session, RunningOperation? operation, Task<T> reply, string doing, Waiting waiting, bool writes = false)
    {
        operation?.Leave();
        try
        {
            var answer = await waiting.ForAsync(reply).ConfigureAwait(false);
            operation?.Succeeded(answer);
            return answer;
        }
        catch (Exception error)
        {
            operation?.Failed(error);
            Failed(session, error, doing, waiting, writes);
            throw;
        }
    }

    /// <summary>
    /// For callers that await a reply themselves where nobody listens, because each asynchronous method in between costs every request 190
    /// bytes: the reply to what is sent again (see <see cref="Sending.Again"/>), or records what ended the wait, and throws it.
    /// </summary>
    public async ValueTask<T> AfterFailureAsync<T>(RequestSession session, Exception error, Task<T>? again, string doing, Waiting waiting)
    {
        if (again is not null) return await ReplyAsync(session, operation: null, again, doing, waiting).ConfigureAwait(false);
        Failed(session, error, doing, waiting, writes: false);
        ExceptionDispatchInfo.Throw(error);
        return default;
    }

    /// <summary>The same where somebody listens: the reply to what was asked, or is sent again.</summary>
    public Task<T> ListenAsync<TSent, T>(
        RequestSession session,
        RunningOperation operation,
        Task<T> reply,
        string doing,
        Waiting waiting,
        TSent sent,
        Func<TSent, Task<T>, Task<T>?> sendAgain)
    {
        return operation.Follow(ReplyOrAgainAsync());

        async Task<T> ReplyOrAgainAsync()
        {
            try
            {
                return await waiting.ForAsync(reply).ConfigureAwait(false);
            }
            catch (Exception error)
            {
                var again = reply.IsFaulted ? sendAgain(sent, reply) : null;
                return await AfterFailureAsync(session, error, again, doing, waiting).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Records what ended a wait, unless the caller cancelled it.</summary>
    public void Failed(RequestSession session, Exception error, string doing, Waiting waiting, bool writes)
    {
        if (waiting.IsCancelled(error)) return;
        if (waiting.HasTimedOut(error)) Logger.TimedOut(session.Id, doing, session.Timeouts.IO);
        if (writes) WritingFailed(session, error);
        else ReadingFailed(session, error);
    }

    public void ReadingFailed(RequestSession session, Exception error)
    {
        lock (session.State.Gate)
        {
            if (!session.State.FailReading(error, Environment.TickCount64)) return;
        }

        Logger.ReadFailed(session.Id, error);
    }

    public void WritingFailed(RequestSession session, Exception error)
    {
        if (error is SessionEndedException) return; // logged where it was refused

        // An error reply (out of memory, read-only) says nothing about reading; a lost connection or a timeout does.
        bool isOutage = error is RedisConnectionException or TimeoutException or OperationCanceledException;
        bool isLogged;
        lock (session.State.Gate)
        {
            if (!session.State.FailWriting(error, isOutage, Environment.TickCount64, out isLogged)) return;
        }

        Logger.WriteFailed(session.Id, isLogged ? null : error); // needs no second stack trace
    }
}
