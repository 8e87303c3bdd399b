using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider;

/// <summary>
/// Keeps <see cref="SessionOptions"/>, which the stock middleware reads, the single source of truth for cookie and timeouts. Values set in
/// AddRedisHashSession are applied there, in order with other <c>Configure</c> calls (<see cref="Added"/>); those set in a
/// <c>Configure&lt;RedisHashSessionOptions&gt;</c> or <c>PostConfigure</c> of the application after all of them. Then they are copied back
/// to <see cref="RedisHashSessionOptions"/> (<see cref="PostConfigure"/>).
/// </summary>
internal sealed class SessionOptionsMirror(IOptions<SessionOptions> sessionOptions) : IPostConfigureOptions<RedisHashSessionOptions>
{
    public void PostConfigure(string? name, RedisHashSessionOptions options) => Copy(sessionOptions.Value, options);

    private static void Apply(SessionOptions session, Action<RedisHashSessionOptions> configure)
    {
        var ours = new RedisHashSessionOptions();
        Copy(session, ours);
        configure(ours);
        Copy(ours, session);
    }

    private static void Copy(SessionOptions from, SessionOptions to)
    {
        to.Cookie = from.Cookie;
        to.IdleTimeout = from.IdleTimeout;
        to.IOTimeout = from.IOTimeout;
    }

    /// <summary>What was passed to one AddRedisHashSession.</summary>
    public sealed class Added(Action<RedisHashSessionOptions> configure)
        : IConfigureOptions<RedisHashSessionOptions>, IConfigureOptions<SessionOptions>
    {
        public void Configure(RedisHashSessionOptions options) => configure(options);

        public void Configure(SessionOptions options) => Apply(options, configure);
    }

    /// <summary>What the application configures elsewhere.</summary>
    /// <param name="services">Resolves it later: the mirror needs these very options.</param>
    public sealed class Elsewhere(IServiceProvider services) : IPostConfigureOptions<SessionOptions>
    {
        public void PostConfigure(string? name, SessionOptions options)
        {
            if (name != Options.DefaultName) return;
            foreach (var one in services.GetServices<IConfigureOptions<RedisHashSessionOptions>>().Where(one => one is not Added))
                Apply(options, ours => Run(one, ours));
            foreach (var one in services.GetServices<IPostConfigureOptions<RedisHashSessionOptions>>().Where(one => one is not SessionOptionsMirror))
                Apply(options, ours => one.PostConfigure(name, ours));
        }

        private static void Run(IConfigureOptions<RedisHashSessionOptions> one, RedisHashSessionOptions options)
        {
            if (one is IConfigureNamedOptions<RedisHashSessionOptions> named) named.Configure(Options.DefaultName, options);
            else one.Configure(options);
        }
    }
}
