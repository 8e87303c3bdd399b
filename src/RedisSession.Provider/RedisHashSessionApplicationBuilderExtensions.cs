using Microsoft.AspNetCore.Session;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using RedisSession.Provider;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Adds the session to the pipeline.</summary>
public static class RedisHashSessionApplicationBuilderExtensions
{
    /// <summary>
    /// Adds the session to the pipeline, instead of <c>UseSession()</c>, which works too, and whose cookies this reads and writes. It knows
    /// the request and the cookie's options, which <c>UseSession()</c> does not pass to a session. Therefore it costs less, and a failure
    /// is thrown while an error page can still be shown. Put it after what needs no session, such as static files.
    /// </summary>
    /// <param name="app">The pipeline.</param>
    /// <param name="loadAhead">
    /// Whether to load the session (one round trip, awaited) before a request that carries its cookie goes on, so that the synchronous API
    /// never blocks a thread. Null, the default, does so where it pays: an endpoint whose request had to wait for a synchronous read has
    /// its session loaded from the next request on, which is logged once (38, Debug); one that reads asynchronously, or not at all, is left
    /// alone. In live mode nothing is learnt, and nothing loaded. After <c>UseRouting</c> the choice is made for each endpoint; if no
    /// endpoint is chosen yet, all requests count as one. An endpoint can decide for itself with <see cref="LoadSessionAheadAttribute"/>.
    /// </param>
    /// <exception cref="InvalidOperationException"><c>AddRedisHashSession</c> was not called.</exception>
    public static IApplicationBuilder UseRedisHashSession(this IApplicationBuilder app, bool? loadAhead = null) =>
        Use(app, services => services.GetRequiredService<SessionCookie>(), loadAhead);

    /// <summary>
    /// The same with a cookie and timeouts of this pipeline's own, instead of <c>UseSession(options)</c>: for branches with separate
    /// sessions.
    /// </summary>
    /// <param name="app">The pipeline.</param>
    /// <param name="options">
    /// The cookie, the <see cref="SessionOptions.IdleTimeout"/> and the <see cref="SessionOptions.IOTimeout"/>. None of them is taken from
    /// the service collection.
    /// </param>
    /// <param name="loadAhead">See <see cref="UseRedisHashSession(IApplicationBuilder, bool?)"/>.</param>
    /// <exception cref="InvalidOperationException"><c>AddRedisHashSession</c> was not called.</exception>
    public static IApplicationBuilder UseRedisHashSession(this IApplicationBuilder app, SessionOptions options, bool? loadAhead = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Use(
            app, services => ActivatorUtilities.CreateInstance<SessionCookie>(services, Options.Create(options)), loadAhead);
    }

    private static IApplicationBuilder Use(IApplicationBuilder app, Func<IServiceProvider, SessionCookie> cookieOf, bool? loadAhead)
    {
        ArgumentNullException.ThrowIfNull(app);
        if (app.ApplicationServices.GetService<RedisConnection>() is null
            || app.ApplicationServices.GetService<ISessionStore>() is not RedisHashSessionStore store)
        {
            throw new InvalidOperationException(
                "UseRedisHashSession needs the services of AddRedisHashSession: call AddRedisHashSession on the service collection.");
        }

        var cookie = cookieOf(app.ApplicationServices);

        // In live mode nothing is learnt: what was loaded ahead would answer what is to be read live.
        bool isLive = app.ApplicationServices.GetRequiredService<IOptions<RedisHashSessionOptions>>().Value.Mode == RedisSessionMode.Live;
        var endpoints = new LoadAhead(loadAhead ?? (isLive ? false : null), store.Channel.Logger);
        return app.Use(next => new RedisHashSessionMiddleware(next, store, cookie, endpoints).InvokeAsync);
    }
}
