using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization.Metadata;
using RedisSession.Provider;

namespace Microsoft.AspNetCore.Http;

/// <summary>
/// Writes that are confirmed when the task completes, in both modes. One round trip each, one atomic script on the session's key, which
/// also renews the expiry; changes that the request had made before and not yet confirmed travel along, so that the order stays.
/// </summary>
/// <remarks>
/// They need a session of <c>AddRedisHashSession</c>: on any other they throw <see cref="InvalidOperationException"/>. When Redis refuses
/// or cannot be asked they throw what the client throws, or <see cref="OperationCanceledException"/> after
/// <see cref="Builder.SessionOptions.IOTimeout"/>; a write that timed out or was cancelled may still have been applied.
/// </remarks>
public static class SessionAsyncSetterExtensions
{
    /// <summary>Sets <paramref name="key"/>. One round trip.</summary>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="key"/> is longer than 65,535 bytes in UTF-8.</exception>
    /// <exception cref="InvalidOperationException">
    /// The session is not one of <c>AddRedisHashSession</c>, or is new and the response has started, so that no cookie can be sent.
    /// </exception>
    /// <exception cref="SessionEndedException">The session has ended since this request first saw it; nothing was written.</exception>
    /// <exception cref="OperationCanceledException">Redis did not answer in time, or the caller cancelled.</exception>
    public static Task SetAsync(this ISession session, string key, byte[] value, CancellationToken cancellationToken = default) =>
        RedisHashSession.Of(session).SetAsync(key, value, cancellationToken);

    /// <summary>Sets several keys at once: all or none. One round trip, however many.</summary>
    /// <inheritdoc cref="SetAsync(ISession, string, byte[], CancellationToken)" path="/exception"/>
    public static Task SetAsync(
        this ISession session, IEnumerable<KeyValuePair<string, byte[]>> values, CancellationToken cancellationToken = default) =>
        RedisHashSession.Of(session).SetAsync(values, cancellationToken);

    /// <summary>
    /// Sets <paramref name="key"/> to text, as <see cref="SessionSetterExtensions.SetValue{T}"/> does. One round trip.
    /// </summary>
    /// <inheritdoc cref="SetAsync(ISession, string, byte[], CancellationToken)" path="/exception"/>
    public static Task SetValueAsync<T>(this ISession session, string key, T value, CancellationToken cancellationToken = default)
        where T : ISpanParsable<T>
    {
        ArgumentNullException.ThrowIfNull(value);
        return session.SetAsync(key, SessionText.Encode(value), cancellationToken);
    }

    /// <summary>
    /// Sets <paramref name="key"/> to JSON, as <see cref="SessionSetterExtensions.SetJson{T}(ISession, string, T)"/> does. One round trip.
    /// </summary>
    /// <inheritdoc cref="SetAsync(ISession, string, byte[], CancellationToken)" path="/exception"/>
    [RequiresUnreferencedCode(SessionJson.NeedsReflection)]
    [RequiresDynamicCode(SessionJson.NeedsReflection)]
    public static Task SetJsonAsync<T>(this ISession session, string key, T value, CancellationToken cancellationToken = default) =>
        session.SetAsync(key, SessionJson.Encode(value), cancellationToken);

    /// <summary>
    /// Sets <paramref name="key"/> to JSON as <paramref name="typeInfo"/> writes it: safe to trim and to compile ahead of time. One round
    /// trip.
    /// </summary>
    /// <inheritdoc cref="SetAsync(ISession, string, byte[], CancellationToken)" path="/exception"/>
    public static Task SetJsonAsync<T>(
        this ISession session, string key, T value, JsonTypeInfo<T> typeInfo, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(typeInfo);
        return session.SetAsync(key, SessionJson.Encode(value, typeInfo), cancellationToken);
    }

    /// <summary>
    /// Sets <paramref name="key"/>, which disappears by itself after <paramref name="expiresIn"/>, to the millisecond, while the session
    /// goes on: for codes that are good for some minutes. Another set of the key, by whichever method, takes its expiry away;
    /// <c>RenewSessionAsync</c> keeps it. One round trip, and one for changes that the request has made before.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">
    /// <paramref name="expiresIn"/> is not positive, or <paramref name="key"/> is longer than 65,535 bytes in UTF-8.
    /// </exception>
    /// <exception cref="NotSupportedException">
    /// The server has no expiry of hash fields: that takes Redis 7.4, Valkey 9 or Garnet. Nothing was written.
    /// </exception>
    /// <inheritdoc cref="SetAsync(ISession, string, byte[], CancellationToken)" path="/exception"/>
    public static Task SetAsync(
        this ISession session, string key, byte[] value, TimeSpan expiresIn, CancellationToken cancellationToken = default) =>
        RedisHashSession.Of(session).SetAsync(key, value, expiresIn, cancellationToken);

    /// <summary>
    /// Sets <paramref name="key"/> to text, as <see cref="SessionSetterExtensions.SetValue{T}"/> does; it disappears by itself.
    /// </summary>
    /// <inheritdoc cref="SetAsync(ISession, string, byte[], TimeSpan, CancellationToken)" path="/exception"/>
    public static Task SetValueAsync<T>(
        this ISession session, string key, T value, TimeSpan expiresIn, CancellationToken cancellationToken = default)
        where T : ISpanParsable<T>
    {
        ArgumentNullException.ThrowIfNull(value);
        return session.SetAsync(key, SessionText.Encode(value), expiresIn, cancellationToken);
    }

    /// <summary>Removes <paramref name="key"/>, if it is there; never creates a session. One round trip.</summary>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="InvalidOperationException">The session is not one of <c>AddRedisHashSession</c>.</exception>
    /// <exception cref="SessionEndedException">The session has ended since this request first saw it.</exception>
    /// <exception cref="OperationCanceledException">Redis did not answer in time, or the caller cancelled.</exception>
    public static Task RemoveAsync(this ISession session, string key, CancellationToken cancellationToken = default) =>
        RedisHashSession.Of(session).RemoveAsync(key, cancellationToken);
}
