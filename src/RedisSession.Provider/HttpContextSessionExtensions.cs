using RedisSession.Provider;

namespace Microsoft.AspNetCore.Http;

/// <summary>The beginning and the end of a session, as OWASP's session management wants them.</summary>
public static class HttpContextSessionExtensions
{
    /// <summary>
    /// Gives the session a new key. Call it whenever somebody signs in or gains rights, so that whoever knew the old key (session fixation)
    /// has nothing. All data and the expiries of single fields stay, the new cookie is in this response, and <see cref="ISession.Id"/>
    /// changes. Two round trips, whatever the size: one for the call, and one when the response starts. A session key that was made for
    /// this very request is kept: it has never left the server.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <param name="user">
    /// Whose session it is from now on, and in whose list <see cref="IRedisSessionDirectory.FindByUserAsync"/> finds it; null to leave that
    /// as it is. Kept in Redis as the field <c>@user</c>. Compared character by character: names that differ in case, or in their Unicode
    /// normal form, are different users. <see cref="RedisHashSessionOptions.UserIdentifier"/> does not overrule it.
    /// </param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <remarks>
    /// <para>
    /// The call makes the new session; what is written after it goes there. The old one ends when the response starts with the new cookie
    /// in it: what other requests have written to it by then comes along, unless this request has changed the same key; later writes to it
    /// are refused, and reads find nothing. When the call throws, or the request does not get its response out, the session is still there
    /// under its old key, the cookie is unchanged, and the new session is removed. With <see cref="FailureMode.Throw"/> a response that
    /// would go out without the new cookie is an error.
    /// </para>
    /// <para>
    /// Between slots of a cluster, and with <see cref="RedisHashSessionOptions.ProtectValues"/>, the data travels through the application,
    /// in portions that cost two round trips each, at each of the two steps. The cookie has the options of the pipeline that the
    /// request came through. Which those are <c>UseSession(options)</c> does not tell a session: <c>UseRedisHashSession(options)</c> does.
    /// </para>
    /// </remarks>
    /// <exception cref="InvalidOperationException">
    /// The response has started, or the visitor has not consented to the cookie, so that it could not be sent; or it is not known which
    /// cookie it would have to replace; or the session is not one of <c>AddRedisHashSession</c>. Nothing was changed.
    /// </exception>
    /// <exception cref="ArgumentException"><paramref name="user"/> is empty.</exception>
    /// <exception cref="SessionEndedException">
    /// The session has ended since this request first saw it. That another request has renewed its key a moment ago is no such end: of two
    /// sign-ins at once both succeed.
    /// </exception>
    /// <exception cref="OperationCanceledException">Redis did not answer in time, or the caller cancelled.</exception>
    public static Task RenewSessionAsync(this HttpContext context, string? user = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        return RedisHashSession.Of(context.Session).RenewKeyAsync(context, user, cancellationToken);
    }

    /// <summary>
    /// Ends the session. Call it when somebody signs out. The hash is removed, and the cookie expires in this response unless that has
    /// started. What this request or others in flight still write is refused. One round trip, and one more for writes that are still under
    /// way.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// The session is not one of <c>AddRedisHashSession</c>, or it is not known which cookie would have to expire. Nothing was changed.
    /// </exception>
    /// <exception cref="OperationCanceledException">Redis did not answer in time, or the caller cancelled.</exception>
    public static Task AbandonSessionAsync(this HttpContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        return RedisHashSession.Of(context.Session).AbandonAsync(context, cancellationToken);
    }
}
