using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider;

/// <summary>
/// Keeps the one truth about cookie and timeouts in <see cref="SessionOptions"/>, which the stock middleware reads. What was said in
/// AddRedisHashSession takes effect there, in its place among other <c>Configure</c> calls (<see cref="Apply"/>); whoever reads
/// <see cref="RedisHashSessionOptions"/> gets those values back (<see cref="PostConfigure"/>).
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
