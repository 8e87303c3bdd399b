using Microsoft.AspNetCore.Session;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using RedisSession.Provider;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Adds sessions to the pipeline.</summary>
public static class RedisHashSessionApplicationBuilderExtensions
{
    /// <summary>
    /// Adds sessions to the pipeline, in place of <c>UseSession()</c>, which also works and whose cookies this method reads and writes.
    /// Unlike <c>UseSession()</c>, it passes the request and the cookie's options to the session. It therefore costs less, and failures are
    /// thrown while an error page can still be shown. Place it after middleware that needs no session, such as static files.
    /// </summary>
    /// <param name="app">The application's pipeline.</param>
    /// <param name="loadAhead">
    /// Whether to load the session (one round trip, awaited) before a request that carries its cookie proceeds, so that the synchronous API
    /// never blocks a thread. Null, the default, loads it where this pays off: if a request had to wait for a synchronous read, the session
    /// is loaded ahead for that endpoint from the next request on, which is logged once (38, Debug); endpoints that read asynchronously, or
    /// not at all, are left alone. In live mode nothing is learned and nothing is loaded ahead. After <c>UseRouting</c>, the choice is made
    /// for each endpoint; if no endpoint has been selected yet, all requests are treated as one endpoint. An endpoint can override the
    /// choice with <see cref="LoadSessionAheadAttribute"/>.
    /// </param>
    /// <exception cref="InvalidOperationException">
    /// <c>AddRedisHashSession</c> was not called, or its <c>ISessionStore</c> was replaced.
    /// </exception>
    public static IApplicationBuilder UseRedisHashSession(this IApplicationBuilder app, bool? loadAhead = null) =>
        Use(app, services => services.GetRequiredService<SessionCookie>(), loadAhead);

    /// <summary>
    /// Like <see cref="UseRedisHashSession(IApplicationBuilder, bool?)"/>, but with a cookie and timeouts for this pipeline only, in place
    /// of <c>UseSession(options)</c>: for branches with separate sessions.
    /// </summary>
    /// <param name="app">The application's pipeline.</param>
    /// <param name="options">
    /// The cookie, the <see cref="SessionOptions.IdleTimeout"/> and the <see cref="SessionOptions.IOTimeout"/>. They are not merged with
    /// options from the service collection.
    /// </param>
    /// <param name="loadAhead">See <see cref="UseRedisHashSession(IApplicationBuilder, bool?)"/>.</param>
    /// <exception cref="InvalidOperationException">
    /// <c>AddRedisHashSession</c> was not called, or its <c>ISessionStore</c> was replaced.
    /// </exception>
    public static IApplicationBuilder UseRedisHashSession(this IApplicationBuilder app, SessionOptions options, bool? loadAhead = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Use(
            app, services => ActivatorUtilities.CreateInstance<SessionCookie>(services, Options.Create(options)), loadAhead);
    }

    private static IApplicationBuilder Use(IApplicationBuilder app, Func<IServiceProvider, SessionCookie> cookieOf, bool? loadAhead)
    {
        ArgumentNullException.ThrowIfNull(app);
        if (app.ApplicationServices.GetService<RedisConnection>() is null)
        {
            throw new InvalidOperationException(
                "UseRedisHashSession requires the services of AddRedisHashSession: call AddRedisHashSession on the service collection.");
        }

        var service = app.ApplicationServices.GetService<ISessionStore>();
        if (service is not RedisHashSessionStore store)
        {
            throw new InvalidOperationException(
                $"UseRedisHashSession requires the ISessionStore of AddRedisHashSession, but {service?.GetType().ToString() ?? "none"} is "
                + "registered. If that one wraps the original, call UseSession() instead.");
        }

        store.ServeOwnMiddleware();
        var cookie = cookieOf(app.ApplicationServices);

        // Live mode does not learn which endpoints to load ahead for: preloaded values would answer reads that must be live.
        bool isLive = app.ApplicationServices.GetRequiredService<IOptions<RedisHashSessionOptions>>().Value.Mode == RedisSessionMode.Live;
        var endpoints = new LoadAhead(loadAhead ?? (isLive ? false : null), store.Channel.Logger);
        return app.Use(next => new RedisHashSessionMiddleware(next, store, cookie, endpoints).InvokeAsync);
    }
}
