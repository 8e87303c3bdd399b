using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Session;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>Makes a <see cref="RedisHashSession"/> for each request. Holds what all of them share; sends nothing.</summary>
internal sealed class RedisHashSessionStore(
    RedisConnection connection,
    IOptions<RedisHashSessionOptions> options,
    IHttpContextAccessor contexts,
    SessionCookie cookie,
    SessionMetrics metrics,
    UserLists users,
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

    public UserLists Users { get; } = users;

    public ILogger Logger { get; } = loggerFactory.CreateLogger<RedisHashSession>();

    public RedisKey KeyOf(string sessionId) => SessionHashLayout.KeyOf(_options.KeyPrefix, sessionId);

    public ValueProtector? ProtectorOf(string sessionId) =>
        _options.ProtectValues ? new ValueProtector(dataProtection, sessionId, Logger) : null;

    public ISession Create(
        string sessionKey, TimeSpan idleTimeout, TimeSpan ioTimeout, Func<bool> tryEstablishSession, bool isNewSessionKey)
    {
        ArgumentException.ThrowIfNullOrEmpty(sessionKey);
        ArgumentNullException.ThrowIfNull(tryEstablishSession);
        return new RedisHashSession(this, sessionKey, idleTimeout, ioTimeout, tryEstablishSession, isNewSessionKey, contexts.HttpContext);
    }
}
