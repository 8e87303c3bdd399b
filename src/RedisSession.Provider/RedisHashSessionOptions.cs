using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// The options of <c>AddRedisHashSession</c>: those of <c>AddSession</c> (<see cref="SessionOptions.Cookie"/>,
/// <see cref="SessionOptions.IdleTimeout"/>, <see cref="SessionOptions.IOTimeout"/>), and where and how sessions are kept in Redis. Checked
/// when the application starts.
/// </summary>
/// <remarks>
/// The connection is the first of these that is given: <see cref="ConnectionMultiplexerFactory"/>, <see cref="ConfigurationOptions"/>,
/// <see cref="Configuration"/>, <see cref="ServiceKey"/>, an <see cref="IConnectionMultiplexer"/> in the service collection. Names follow
/// <c>RedisCacheOptions</c>. Set them where <c>AddRedisHashSession</c> is called; <see cref="SessionOptions"/> that other code configures
/// keep their place in the order.
/// </remarks>
public class RedisHashSessionOptions : SessionOptions
{
    /// <summary>The section that is read where the whole configuration is given: at its root .NET names could be anybody's.</summary>
    internal const string Section = "RedisHashSession";

    /// <summary>
    /// The Redis server in the syntax of StackExchange.Redis (<c>redis1:6379,password=…</c>), or as a URL:
    /// <c>redis://user:password@host:6379/0</c>, <c>rediss://…</c> for TLS, <c>unix:///path/to/socket?db=0</c>. Default: null. The
    /// connection opened for it comes back by itself after an outage (<see cref="OutageTolerance"/>), and is closed with the application.
    /// </summary>
    public string? Configuration { get; set; }

    /// <summary>
    /// The same as <see cref="Configuration"/>, as an object, for what a string cannot say. Default: null. It is copied and never changed.
    /// Its user, password and options of TLS are asked for at each connect, so that they can be rotated.
    /// </summary>
    public ConfigurationOptions? ConfigurationOptions { get; set; }

    /// <summary>
    /// Makes the connection; called once, and again when it failed. Default: null. The connection stays the application's: it is used as
    /// it is, and not closed here.
    /// </summary>
    public Func<Task<IConnectionMultiplexer>>? ConnectionMultiplexerFactory { get; set; }

    /// <summary>
    /// The key of the <see cref="IConnectionMultiplexer"/> among the keyed services, for applications that have several. Default: null,
    /// which means the one without a key.
    /// </summary>
    public object? ServiceKey { get; set; }

    /// <summary>
    /// Text in front of every Redis key, such as <c>"app:"</c> for <c>app:sessions:…</c>, so that applications can share a server. Default:
    /// empty. Text in braces would be a hash tag, which puts all sessions of a cluster on one server.
    /// </summary>
    public string KeyPrefix { get; set; } = "";

    /// <summary>How the synchronous API meets Redis. Default: <see cref="RedisSessionMode.Buffered"/>.</summary>
    public RedisSessionMode Mode { get; set; } = RedisSessionMode.Buffered;

    /// <summary>
    /// When a session ends however much it is used, counted from its creation by the server's clock (OWASP: absolute timeout). Default:
    /// null, never. With it, a renewal of the expiry is a script instead of a plain PEXPIRE.
    /// </summary>
    public TimeSpan? AbsoluteTimeout { get; set; }

    /// <summary>
    /// How often one instance of the application refreshes the expiry of a session that is used: at most once in this time, so that a page
    /// with twenty requests costs one refresh. In Redis a session lives for <see cref="SessionOptions.IdleTimeout"/> and this, so that none
    /// ends early. Default: one second. Never more than an eighth of the idle timeout; zero refreshes with each request.
    /// </summary>
    public TimeSpan RefreshInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Whether values are encrypted in Redis, with ASP.NET Core data protection, for the session they belong to. Default: false. Values
    /// that were written before are read as they are, and encrypted when they are next set; what cannot be decrypted reads as absent and is
    /// logged. Keys are not encrypted. Programs other than this application cannot read such values.
    /// </summary>
    public bool ProtectValues { get; set; }

    /// <summary>
    /// Who a request is, so that its session is known as this user's and found by <see cref="IRedisSessionDirectory"/>. Default: the
    /// <see cref="ClaimTypes.NameIdentifier"/> claim of <see cref="HttpContext.User"/> once that is authenticated. Null: sessions get a
    /// user by <c>RenewSessionAsync(user)</c> only, which this never overrules. Otherwise the most recent user owns the session.
    /// </summary>
    /// <remarks>
    /// Asked in each request whose session is read, written or kept alive, when that first happens, and again before the response starts if
    /// it said nobody (null or empty): authentication may run behind <c>UseSession</c>. It must be quick, and should not use the session.
    /// What it throws is logged, and the request is nobody's.
    /// </remarks>
    public Func<HttpContext, string?>? UserIdentifier { get; set; } = SignedInUser.Of;

    /// <summary>
    /// How many replicas must have a write before it counts as confirmed (the WAIT command). Default: 0, none: Redis replicates
    /// asynchronously, and a failover can lose the last moments. It costs a round trip more for each confirmation, during which the
    /// connection serves nobody else, up to a second when replicas are away; then the write fails with
    /// <see cref="SessionNotReplicatedException"/>. It lessens what a failover can lose; it does not make Redis strongly consistent.
    /// </summary>
    public int WaitForReplicas { get; set; }

    /// <summary>
    /// For how many cookies this process remembers which session key is in them, so that not each request has to decrypt its own (14 µs). Default:
    /// 16,384, some 500 bytes each once they are there; 0 for none. Five minutes at most, and never across a change of the key ring.
    /// </summary>
    public int CookieCacheSize { get; set; } = 16_384;

    /// <summary>What the synchronous API does when Redis cannot be reached. Default: <see cref="FailureMode.LogAndContinue"/>.</summary>
    public FailureMode FailureMode { get; set; } = FailureMode.LogAndContinue;

    /// <summary>
    /// How long into an outage requests wait for its end. Default: 5 seconds. While the connection to Redis has been lost for less than
    /// that, commands wait for it, never beyond the moment at which the outage has lasted that long, and never longer than
    /// <see cref="SessionOptions.IOTimeout"/>; from then on they fail at once until Redis is back. Commands whose reply was lost with the
    /// connection are sent again within the same bound, unless they would do something else, or answer something else, the second time
    /// (increments, <c>TakeAsync</c>, <c>TrySetAsync</c>, <c>UpdateJsonAsync</c>): those fail, and say that they may have been made.
    /// <see cref="TimeSpan.Zero"/>: commands fail at once while the connection is lost, and nothing is sent again.
    /// </summary>
    /// <remarks>
    /// A <see cref="BacklogPolicy"/> that is not the client's default is the application's decision, and stays; so does that of a connection
    /// which the application has made. While threads wait in the synchronous API, the pool's least number of threads is higher by as many.
    /// </remarks>
    public TimeSpan OutageTolerance { get; set; } = DefaultOutageTolerance;

    /// <summary>
    /// How many events wait at most for <see cref="ISessionLifecycle"/> handlers. Default: 50,000, some 13 MB. Further ones are
    /// dropped, logged (44) and counted (<c>redis_session.dropped_events</c>): requests do not wait for handlers.
    /// </summary>
    public int MaxPendingEvents { get; set; } = 50_000;

    /// <summary>
    /// Whether a connection that is opened here reads and writes on threads of its own (the <c>DedicatedThreads</c> feature flag of
    /// StackExchange.Redis, which is per process and is set before connecting). Without them the synchronous API can stall: a reply needs a
    /// pool thread to be read, and all of them may be blocked waiting for replies. Default: true. False leaves the flag as it is.
    /// </summary>
    public bool UseDedicatedThreads { get; set; } = true;

    /// <summary>
    /// Takes over the sessions that <c>AddSession</c> has left in the <c>AddStackExchangeRedisCache</c> of the same Redis and database: a
    /// session without a hash is looked for there once, and written as a hash, with all its keys and its full
    /// <see cref="SessionOptions.IdleTimeout"/>. Default: not called, nothing is taken over.
    /// </summary>
    /// <param name="instanceName">The <c>InstanceName</c> of that cache; null or empty when it has none.</param>
    /// <remarks>
    /// <para>
    /// It costs one round trip more for a request whose cookie names a session that has no hash, four for the one that takes a session
    /// over, and one for <c>AbandonSessionAsync</c> while something is left; nothing for any other. Nobody waits for it where a request
    /// does not touch its session.
    /// </para>
    /// <para>
    /// The cookie stays as it is, so its name and the data-protection keys must, too. Typed getters read what <c>SetString</c> and
    /// <c>SetInt32</c> wrote. An <see cref="AbsoluteTimeout"/> begins at the takeover. With <see cref="ProtectValues"/> the values are
    /// encrypted when they are taken over. A payload that is not a valid session is logged (32), and the session starts empty.
    /// </para>
    /// <para>
    /// What is left is marked in its place (the field <c>taken</c>) and not removed: old instances go on reading and writing it, and
    /// neither side sees what the other writes from then on. It is taken over once. So a session that ends here does not come back from
    /// it. Until it is taken over, <see cref="IRedisSessionDirectory"/> does not know it.
    /// </para>
    /// </remarks>
    public void TakeOverSessions(string? instanceName = null) => InstanceNameOfLeft = instanceName ?? "";

    /// <summary>
    /// The same as <see cref="TakeOverSessions"/> for sessions that are in any other <c>IDistributedCache</c>, which must be in the service
    /// collection. Default: not called.
    /// </summary>
    /// <remarks>
    /// Such a cache can mark nothing: what has been taken over is removed from it, so that old instances do not find it any more. Two
    /// requests that take a session over at the very moment at which it ends may not notice each other. A request that finds nothing there
    /// looks for the hash once more, and <c>AbandonSessionAsync</c> always costs a round trip more. The synchronous API blocks on the
    /// synchronous members of the cache.
    /// </remarks>
    public void TakeOverSessionsFromDistributedCache() => TakesOverFromCache = true;

    internal static TimeSpan DefaultOutageTolerance { get; } = TimeSpan.FromSeconds(5);

    /// <summary>Null when no sessions are taken over from Redis.</summary>
    internal string? InstanceNameOfLeft { get; set; }

    internal bool TakesOverFromCache { get; set; }

    /// <summary>The names in configuration under which a Redis was looked for; empty when no configuration was given.</summary>
    internal List<string> LookedFor { get; } = [];

    /// <summary>What was found where these options were read from configuration.</summary>
    internal ConfigurationFindings Findings { get; } = new();
}
