using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// The options of <c>AddRedisHashSession</c>: those of <c>AddSession</c> (<see cref="SessionOptions.Cookie"/>,
/// <see cref="SessionOptions.IdleTimeout"/>, <see cref="SessionOptions.IOTimeout"/>), and where and how sessions are kept in Redis.
/// Validated when the application starts.
/// </summary>
/// <remarks>
/// The connection is the first of these that is set: <see cref="ConnectionMultiplexerFactory"/>, <see cref="ConfigurationOptions"/>,
/// <see cref="Configuration"/>, <see cref="ServiceKey"/>, an <see cref="IConnectionMultiplexer"/> in the service collection. The names
/// follow <c>RedisCacheOptions</c>. Set the options where <c>AddRedisHashSession</c> is called; <see cref="SessionOptions"/> that other
/// code configures are applied in the order of configuration.
/// </remarks>
public class RedisHashSessionOptions : SessionOptions
{
    /// <summary>The section to read if the whole configuration is given: at its root, .NET names could belong to any code.</summary>
    internal const string Section = "RedisHashSession";

    /// <summary>
    /// The Redis server in StackExchange.Redis syntax (<c>redis1:6379,password=…</c>), or as a URL:
    /// <c>redis://user:password@host:6379/0</c>, <c>rediss://…</c> for TLS, <c>unix:///path/to/socket?db=0</c>. Default: null. The
    /// connection opened for it reconnects automatically after an outage (<see cref="OutageTolerance"/>), and is closed with the
    /// application.
    /// </summary>
    public string? Configuration { get; set; }

    /// <summary>
    /// The same as <see cref="Configuration"/>, as an object, for settings that a string cannot express. Default: null. The object is
    /// copied and never changed. Its user, password and TLS options are read again at each connect, so that they can be rotated.
    /// </summary>
    public ConfigurationOptions? ConfigurationOptions { get; set; }

    /// <summary>
    /// Creates the connection. Called once, and again if it failed. Default: null. The application owns the connection: it is used as it
    /// is, and is not closed by this library.
    /// </summary>
    public Func<Task<IConnectionMultiplexer>>? ConnectionMultiplexerFactory { get; set; }

    /// <summary>
    /// The key of the keyed <see cref="IConnectionMultiplexer"/> service to use, for applications that register several. Default: null,
    /// which means the multiplexer registered without a key.
    /// </summary>
    public object? ServiceKey { get; set; }

    /// <summary>
    /// A prefix for every Redis key, such as <c>"app:"</c> for <c>app:sessions:…</c>, so that applications can share a server. Default:
    /// empty. Text in braces would be a hash tag, which puts all sessions of a cluster on one server; other braces are refused.
    /// </summary>
    public string KeyPrefix { get; set; } = "";

    /// <summary>How the synchronous API accesses Redis. Default: <see cref="RedisSessionMode.Buffered"/>.</summary>
    public RedisSessionMode Mode { get; set; } = RedisSessionMode.Buffered;

    /// <summary>
    /// The maximum lifetime of a session regardless of use, counted from its creation by the server's clock (OWASP: absolute timeout).
    /// Default: null, unlimited. With it, renewing the expiry takes a script instead of a plain PEXPIRE.
    /// </summary>
    public TimeSpan? AbsoluteTimeout { get; set; }

    /// <summary>
    /// The minimum interval between two refreshes of a session's expiry by one instance of the application, so that a page with twenty
    /// requests costs one refresh. In Redis, a session is kept for <see cref="SessionOptions.IdleTimeout"/> plus this interval, so that no
    /// session ends early. Default: one second. Limited to an eighth of the idle timeout; zero refreshes with each request.
    /// </summary>
    public TimeSpan RefreshInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Whether values are encrypted in Redis with ASP.NET Core data protection, bound to the session they belong to. Default: false.
    /// Existing unencrypted values remain readable and are encrypted when they are next set. A value that cannot be decrypted reads as
    /// absent and is logged; a renewal of the session's key keeps it, in case it can be decrypted later. Keys are not encrypted. Programs
    /// other than this application cannot read encrypted values.
    /// </summary>
    public bool ProtectValues { get; set; }

    /// <summary>
    /// Returns the user of a request, so that the session is recorded as this user's and found by <see cref="IRedisSessionDirectory"/>.
    /// Default: the <see cref="ClaimTypes.NameIdentifier"/> claim of <see cref="HttpContext.User"/>, once that is authenticated. Null:
    /// sessions get a user only through <c>RenewSessionAsync(user)</c>, which this function never overrides. Otherwise, the most recent
    /// user owns the session.
    /// </summary>
    /// <remarks>
    /// Called in each request whose session is read, written or kept alive, when that first happens, and again before the response starts
    /// if it returned no user (null or empty), because authentication may run after <c>UseSession</c>. It must be fast, and should not use
    /// the session. If it throws, the exception is logged, and the request has no user.
    /// </remarks>
    public Func<HttpContext, string?>? UserIdentifier { get; set; } = SignedInUser.Of;

    /// <summary>
    /// How many replicas must have a write before it counts as confirmed (the WAIT command). Default: 0, none: Redis replicates
    /// asynchronously, and a failover can lose the most recent writes. Each confirmation costs one more round trip, during which the
    /// connection serves no other request; if replicas are unavailable, this takes up to a second, and then the write fails with
    /// <see cref="SessionNotReplicatedException"/>. The option reduces what a failover can lose; it does not make Redis strongly
    /// consistent. It does not hold for sessions of a slot that a cluster is moving.
    /// </summary>
    public int WaitForReplicas { get; set; }

    /// <summary>
    /// The number of cookies for which this process caches the session key, so that not every request has to decrypt its cookie (14 µs).
    /// Default: 16,384, at about 500 bytes per cached cookie; 0 disables the cache. Entries are kept for at most five minutes, and never
    /// across a change of the key ring.
    /// </summary>
    public int CookieCacheSize { get; set; } = 16_384;

    /// <summary>What the synchronous API does when Redis is unavailable. Default: <see cref="FailureMode.LogAndContinue"/>.</summary>
    public FailureMode FailureMode { get; set; } = FailureMode.LogAndContinue;

    /// <summary>
    /// How far into an outage requests wait for Redis to come back. Default: 5 seconds. Once the connection is lost, commands wait until
    /// the outage has lasted this long, and never longer than <see cref="SessionOptions.IOTimeout"/>; after that, they fail immediately
    /// until Redis is back. Commands whose reply was lost with the connection are sent again within the same limit, except those for which
    /// a second execution could have a different effect or reply (increments, <c>TakeAsync</c>, <c>TrySetAsync</c>,
    /// <c>UpdateJsonAsync</c>): these fail, with a message that the change may have been applied. <see cref="TimeSpan.Zero"/>: commands
    /// fail immediately while the connection is lost, and nothing is sent again.
    /// </summary>
    /// <remarks>
    /// A <see cref="BacklogPolicy"/> other than the client's default is kept, as is that of a connection which the application has created.
    /// While threads are blocked in the synchronous API, the minimum size of the thread pool is raised by their number.
    /// </remarks>
    public TimeSpan OutageTolerance { get; set; } = DefaultOutageTolerance;

    /// <summary>
    /// The maximum number of events that wait for <see cref="ISessionLifecycle"/> handlers. Default: 50,000, about 13 MB. Further events
    /// are dropped, logged (44) and counted (<c>redis_session.dropped_events</c>): requests do not wait for handlers.
    /// </summary>
    public int MaxPendingEvents { get; set; } = 50_000;

    /// <summary>
    /// Whether a connection opened by this library reads and writes on dedicated threads (the <c>DedicatedThreads</c> feature flag of
    /// StackExchange.Redis, which is per process and is set before connecting). Without them, the synchronous API can stall: a pool thread
    /// is needed to read a reply, and all pool threads may be blocked waiting for replies. Default: true. False leaves the flag unchanged.
    /// </summary>
    public bool UseDedicatedThreads { get; set; } = true;

    /// <summary>
    /// Takes over legacy sessions, which <c>AddSession</c> has left in the <c>AddStackExchangeRedisCache</c> of the same Redis and
    /// database. A session without a hash is looked up there once, and written as a hash with all its keys and its full
    /// <see cref="SessionOptions.IdleTimeout"/>. Default: not called, nothing is taken over.
    /// </summary>
    /// <param name="instanceName">The <c>InstanceName</c> of that cache; null or empty if it has none.</param>
    /// <remarks>
    /// <para>
    /// The cost is one more round trip for a request whose cookie refers to a session without a hash, four for the request that takes a
    /// session over, and one for <c>AbandonSessionAsync</c> while legacy data is left; nothing for any other request. A request that does
    /// not use its session does not wait for the takeover.
    /// </para>
    /// <para>
    /// The cookie stays the same, so its name and the data-protection keys must not change. Typed getters read what <c>SetString</c> and
    /// <c>SetInt32</c> wrote. An <see cref="AbsoluteTimeout"/> begins at the takeover. With <see cref="ProtectValues"/>, values are
    /// encrypted when they are taken over. A payload that is not a valid session is logged (32), and the session starts empty.
    /// </para>
    /// <para>
    /// Legacy data is marked in place (the field <c>taken</c>) and not removed: old instances continue to read and write it, and from then
    /// on neither side sees the other's writes. It is taken over only once, so a session that ends here does not come back from it. Until a
    /// session is taken over, <see cref="IRedisSessionDirectory"/> does not list it.
    /// </para>
    /// </remarks>
    public void TakeOverSessions(string? instanceName = null) => InstanceNameOfLeft = instanceName ?? "";

    /// <summary>
    /// Like <see cref="TakeOverSessions"/>, but for legacy sessions in any other <c>IDistributedCache</c>, which must be in the service
    /// collection. Default: not called.
    /// </summary>
    /// <remarks>
    /// Entries of such a cache cannot be marked: a session that has been taken over is removed from it, so old instances no longer find it.
    /// Two requests that take over a session at the very moment it ends may not notice each other. A request that finds nothing there looks
    /// for the hash once more, and <c>AbandonSessionAsync</c> always costs one more round trip. The synchronous API blocks on the
    /// synchronous members of the cache.
    /// </remarks>
    public void TakeOverSessionsFromDistributedCache() => TakesOverFromCache = true;

    internal static TimeSpan DefaultOutageTolerance { get; } = TimeSpan.FromSeconds(5);

    /// <summary>Null if no sessions are taken over from Redis.</summary>
    internal string? InstanceNameOfLeft { get; set; }

    internal bool TakesOverFromCache { get; set; }

    /// <summary>The configuration names that were checked for a Redis server; empty if no configuration was given.</summary>
    internal List<string> LookedFor { get; } = [];

    /// <summary>The findings from reading these options from configuration.</summary>
    internal ConfigurationFindings Findings { get; } = new();
}
