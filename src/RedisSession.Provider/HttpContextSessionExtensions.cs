using RedisSession.Provider;

namespace Microsoft.AspNetCore.Http;

/// <summary>Renews and ends sessions, as the OWASP guidance on session management requires.</summary>
public static class HttpContextSessionExtensions
{
    /// <summary>
    /// Gives the session a new key. Call it whenever a user signs in or gains privileges, so that the old key is useless to anyone who
    /// knows it (session fixation). All data is kept, including the expiries of single keys; the response carries the new cookie; and
    /// <see cref="ISession.Id"/> changes. Two round trips, regardless of the session's size: one for the call, and one when the response
    /// starts. A session key that was created during this request is kept, because it has never left the server.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <param name="user">
    /// The user who owns the session from now on, and in whose list <see cref="IRedisSessionDirectory.FindByUserAsync"/> finds it; null
    /// leaves the owner unchanged. Stored in Redis in the field <c>@user</c>. Names are compared character by character: names that differ
    /// in case, or in their Unicode normal form, are different users. <see cref="RedisHashSessionOptions.UserIdentifier"/> does not
    /// override it.
    /// </param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <remarks>
    /// <para>
    /// The call creates the new session, and later writes of this request go there. The old session ends when the response starts with the
    /// new cookie. Anything that other requests have written to the old session by then is carried over, unless this request has changed
    /// the same key. Atomic changes are no exception: take a one-time value before you renew the key. From then on, writes to the old
    /// session are refused and reads find nothing. If the call throws, or the response is never sent, the session still exists under its
    /// old key, the cookie is unchanged, and the new session is removed. With <see cref="FailureMode.Throw"/>, a response that would be
    /// sent without the new cookie is an error.
    /// </para>
    /// <para>
    /// When the session moves between slots of a cluster, or <see cref="RedisHashSessionOptions.ProtectValues"/> is set, the data passes
    /// through the application in portions, each of which costs two round trips at each of the two steps. The new cookie has the options of
    /// the pipeline that the request came through. <c>UseSession(options)</c> does not pass these options to a session;
    /// <c>UseRedisHashSession(options)</c> does.
    /// </para>
    /// </remarks>
    /// <exception cref="InvalidOperationException">
    /// The response has started, or the visitor has not consented to the cookie, so the new cookie could not be sent; or it is unknown
    /// which cookie to replace; or the session is not managed by <c>AddRedisHashSession</c>. Nothing was changed.
    /// </exception>
    /// <exception cref="ArgumentException"><paramref name="user"/> is empty.</exception>
    /// <exception cref="SessionEndedException">
    /// The session has ended since this request first accessed it. A renewal of its key by another request a moment ago does not count as
    /// an end: if two requests sign in at once, both succeed.
    /// </exception>
    /// <exception cref="OperationCanceledException">Redis did not answer in time, or the caller cancelled.</exception>
    public static Task RenewSessionAsync(this HttpContext context, string? user = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        return RedisHashSession.Of(context.Session).RenewKeyAsync(context, user, cancellationToken);
    }

    /// <summary>
    /// Ends the session. Call it when a user signs out. The hash is removed, and the cookie expires with this response unless the response
    /// has already started. Later writes by this request or by concurrent requests are refused. One round trip, plus one for writes that
    /// are still in flight, and one if another request has just renewed the session's key.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// The session is not managed by <c>AddRedisHashSession</c>, or it is unknown which cookie to expire. Nothing was changed.
    /// </exception>
    /// <exception cref="OperationCanceledException">Redis did not answer in time, or the caller cancelled.</exception>
    public static Task AbandonSessionAsync(this HttpContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        return RedisHashSession.Of(context.Session).AbandonAsync(context, cancellationToken);
    }
}
