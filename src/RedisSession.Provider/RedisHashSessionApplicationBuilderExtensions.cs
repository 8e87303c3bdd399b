using Microsoft.AspNetCore.Session;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using RedisSession.Provider;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Adds the session to the pipeline, loaded.</summary>
public static class RedisHashSessionApplicationBuilderExtensions
{
    /// <summary>
    /// <c>UseSession()</c>, and then, for requests that carry a session cookie, the load (one round trip, awaited), so that the synchronous
    /// API never blocks a thread. In the place of <c>UseSession()</c>; that one alone works too. Put it behind what needs no session, such
    /// as static files.
    /// </summary>
    /// <exception cref="InvalidOperationException"><c>AddRedisHashSession</c> was not called.</exception>
    public static IApplicationBuilder UseRedisHashSession(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        if (app.ApplicationServices.GetService<RedisConnection>() is null
            || app.ApplicationServices.GetService<ISessionStore>() is not RedisHashSessionStore store)
        {
            throw new InvalidOperationException(
                "UseRedisHashSession needs the services of AddRedisHashSession: call it on the service collection.");
        }

        var options = app.ApplicationServices.GetRequiredService<IOptions<SessionOptions>>().Value;
        app.UseSession();
        return app.Use(async (context, next) =>
        {
            if (context.Request.Cookies.ContainsKey(options.Cookie.Name!))
            {
                try
                {
                    await context.Session.LoadAsync(context.RequestAborted).ConfigureAwait(false);
                }
                catch (Exception) when (!store.Channel.Throws && !context.RequestAborted.IsCancellationRequested)
                {
                    // Logged where it happened; the session remembers that Redis is away.
                }
            }

            await next(context).ConfigureAwait(false);
        });
    }
}
