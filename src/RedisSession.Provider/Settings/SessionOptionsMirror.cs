using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider;

/// <summary>
/// Keeps <see cref="SessionOptions"/>, which the stock middleware reads, the single source of truth for cookie and timeouts. Values set in
/// AddRedisHashSession are applied there, in order with other <c>Configure</c> calls (<see cref="Apply"/>), and copied back to
/// <see cref="RedisHashSessionOptions"/> (<see cref="PostConfigure"/>).
/// </summary>
internal sealed class SessionOptionsMirror(IOptions<SessionOptions> sessionOptions) : IPostConfigureOptions<RedisHashSessionOptions>
{
    public static void Apply(SessionOptions session, Action<RedisHashSessionOptions> configure)
    {
        var ours = new RedisHashSessionOptions();
        Copy(session, ours);
        configure(ours);
        Copy(ours, session);
    }

    public void PostConfigure(string? name, RedisHashSessionOptions options) => Copy(sessionOptions.Value, options);

    private static void Copy(SessionOptions from, SessionOptions to)
    {
        to.Cookie = from.Cookie;
        to.IdleTimeout = from.IdleTimeout;
        to.IOTimeout = from.IOTimeout;
    }
}
