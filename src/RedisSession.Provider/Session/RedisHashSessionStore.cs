using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Session;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider;

/// <summary>Makes a <see cref="RedisHashSession"/> for each request. Holds what all of them share; sends nothing.</summary>
internal sealed class RedisHashSessionStore(
    RedisConnection connection,
    IOptions<RedisHashSessionOptions> options,
    CurrentRequest request,
    SessionCookie cookie,
    SessionMetrics metrics,
    SessionTelemetry telemetry,
    UserLists users,
    LifecycleQueue lifecycle,
    IServiceProvider services,
    IDataProtectionProvider dataProtection,
    ILoggerFactory loggerFactory) : ISessionStore
{
    private readonly RedisHashSessionOptions _options = options.Value;
    private SessionTimeouts? _lastTimeouts;

    public RedisConnection Connection { get; } = connection;

    public RedisSessionMode Mode => _options.Mode;

    public FailureMode FailureMode => _options.FailureMode;

    public int WaitForReplicas => _options.WaitForReplicas;

    public SessionCookie Cookie { get; } = cookie;

    public SessionMetrics Metrics { get; } = metrics;

    public SessionTelemetry Telemetry { get; } = telemetry;

    public UserLists Users { get; } = users;

    public LifecycleQueue Lifecycle { get; } = lifecycle;

    public ILogger Logger { get; } = loggerFactory.CreateLogger<RedisHashSession>();

    /// <summary>The sessions that AddSession has left; null when none are to be taken over.</summary>
    public IStockSessions? StockSessions { get; } = StockSessionsChoice.Of(options.Value, connection, services);

    /// <summary>What the Redis keys of all sessions begin with.</summary>
    public byte[] KeyStart { get; } = SessionHashLayout.KeyStart(options.Value.KeyPrefix);

    public bool ProtectsValues => _options.ProtectValues;

    public ValueProtector ProtectorOf(string sessionId) => new(dataProtection, sessionId, Logger);

    public ISession Create(
        string sessionKey, TimeSpan idleTimeout, TimeSpan ioTimeout, Func<bool> tryEstablishSession, bool isNewSessionKey)
    {
        ArgumentException.ThrowIfNullOrEmpty(sessionKey);
        ArgumentNullException.ThrowIfNull(tryEstablishSession);
        var timeouts = TimeoutsOf(idleTimeout, ioTimeout);
        return new RedisHashSession(this, sessionKey, timeouts, tryEstablishSession, isNewSessionKey, request.Context);
    }

    // The middleware gives the same ones for each request.
    private SessionTimeouts TimeoutsOf(TimeSpan idle, TimeSpan io)
    {
        var last = _lastTimeouts;
        if (last is null || last.Idle != idle || last.IO != io) _lastTimeouts = last = new(idle, io, _options.AbsoluteTimeout);
        return last;
    }
}
