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

    public RedisConnection Connection { get; } = connection;

    public RedisSessionMode Mode => _options.Mode;

    public FailureMode FailureMode => _options.FailureMode;

    public TimeSpan? AbsoluteTimeout => _options.AbsoluteTimeout;

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

    public ValueProtector? ProtectorOf(string sessionId) =>
        _options.ProtectValues ? new ValueProtector(dataProtection, sessionId, Logger) : null;

    public ISession Create(
        string sessionKey, TimeSpan idleTimeout, TimeSpan ioTimeout, Func<bool> tryEstablishSession, bool isNewSessionKey)
    {
        ArgumentException.ThrowIfNullOrEmpty(sessionKey);
        ArgumentNullException.ThrowIfNull(tryEstablishSession);
        return new RedisHashSession(this, sessionKey, idleTimeout, ioTimeout, tryEstablishSession, isNewSessionKey, request.Context);
    }
}
