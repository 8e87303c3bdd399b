using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider;

/// <summary>
/// Keeps <see cref="SessionOptions"/>, which the stock middleware reads, the single source of truth for cookie and timeouts. Values set in
/// AddRedisHashSession are applied there, in order with other <c>Configure</c> calls (<see cref="Added"/>); those set in a
/// <c>Configure&lt;RedisHashSessionOptions&gt;</c> or <c>PostConfigure</c> of the application after all of them (<see cref="Elsewhere"/>).
/// They are copied to <see cref="RedisHashSessionOptions"/> as the last step before validation: an <c>OptionsFactory</c> has no such step.
/// </summary>
internal sealed class SessionOptionsMirror(
    IOptions<SessionOptions> sessionOptions,
    IEnumerable<IConfigureOptions<RedisHashSessionOptions>> configure,
    IEnumerable<IPostConfigureOptions<RedisHashSessionOptions>> postConfigure,
    IEnumerable<IValidateOptions<RedisHashSessionOptions>> validate) : IOptionsFactory<RedisHashSessionOptions>
{
    private readonly OptionsFactory<RedisHashSessionOptions> _factory = new(configure, postConfigure);

    public RedisHashSessionOptions Create(string name)
    {
        var options = _factory.Create(name);
        Copy(sessionOptions.Value, options);
        var failures = validate.Select(one => one.Validate(name, options)).Where(result => result.Failed).SelectMany(result => result.Failures!).ToList();
        return failures is [] ? options : throw new OptionsValidationException(name, typeof(RedisHashSessionOptions), failures);
    }

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
    public sealed class Elsewhere(
        IEnumerable<IConfigureOptions<RedisHashSessionOptions>> configure,
        IEnumerable<IPostConfigureOptions<RedisHashSessionOptions>> postConfigure) : IPostConfigureOptions<SessionOptions>
    {
        public void PostConfigure(string? name, SessionOptions options)
        {
            if (name != Options.DefaultName) return;
            foreach (var one in configure.Where(one => one is not Added)) Apply(options, ours => Run(one, ours));
            foreach (var one in postConfigure) Apply(options, ours => one.PostConfigure(name, ours));
        }

        private static void Run(IConfigureOptions<RedisHashSessionOptions> one, RedisHashSessionOptions options)
        {
            if (one is IConfigureNamedOptions<RedisHashSessionOptions> named) named.Configure(Options.DefaultName, options);
            else one.Configure(options);
        }
    }
}
