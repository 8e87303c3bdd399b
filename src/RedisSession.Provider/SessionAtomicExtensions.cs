using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization.Metadata;
using RedisSession.Provider;

namespace Microsoft.AspNetCore.Http;

/// <summary>
/// Changes of one key that depend on what it holds, made in Redis in one step, so that parallel requests never undo each other. One round
/// trip each where nothing else is said; what the request has changed before and not yet confirmed is confirmed first. The synchronous
/// API sees what they did. They renew the expiry as every write does.
/// </summary>
/// <remarks>
/// They need a session of <c>AddRedisHashSession</c>: on any other they throw <see cref="InvalidOperationException"/>. When Redis refuses
/// or cannot be asked they throw what the client throws, or <see cref="OperationCanceledException"/> after
/// <see cref="Builder.SessionOptions.IOTimeout"/>; a change that timed out or was cancelled may still have been made.
/// </remarks>
public static class SessionAtomicExtensions
{
    /// <summary>
    /// Reads <paramref name="key"/> and removes it: of many who take it at once, one gets it. For tokens that are good once, and messages
    /// that are shown once. Never creates a session.
    /// </summary>
    /// <returns>What was there; <see cref="SessionValue.None"/> where nothing was.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="InvalidOperationException">The session is not one of <c>AddRedisHashSession</c>.</exception>
    /// <exception cref="SessionEndedException">The session has ended since this request first saw it.</exception>
    /// <exception cref="OperationCanceledException">Redis did not answer in time, or the caller cancelled.</exception>
    public static Task<SessionValue> TakeAsync(this ISession session, string key, CancellationToken cancellationToken = default) =>
        RedisHashSession.Of(session).TakeAsync(key, cancellationToken);

    /// <summary>Sets <paramref name="key"/> if it is not there: of many who try at once, one succeeds.</summary>
    /// <returns>True when this call has set it; false, and nothing changed, when it was there.</returns>
    /// <inheritdoc cref="SessionAsyncSetterExtensions.SetAsync(ISession, string, byte[], CancellationToken)" path="/exception"/>
    public static Task<bool> TrySetAsync(this ISession session, string key, byte[] value, CancellationToken cancellationToken = default) =>
        RedisHashSession.Of(session).TrySetAsync(key, value, cancellationToken);

    /// <summary>
    /// Sets <paramref name="key"/> to text if it is not there, as <see cref="SessionSetterExtensions.SetValue{T}"/> writes it.
    /// </summary>
    /// <returns>True when this call has set it; false, and nothing changed, when it was there.</returns>
    /// <inheritdoc cref="SessionAsyncSetterExtensions.SetAsync(ISession, string, byte[], CancellationToken)" path="/exception"/>
    public static Task<bool> TrySetValueAsync<T>(this ISession session, string key, T value, CancellationToken cancellationToken = default)
        where T : ISpanParsable<T>
    {
        ArgumentNullException.ThrowIfNull(value);
        return session.TrySetAsync(key, SessionText.Encode(value), cancellationToken);
    }

    /// <summary>
    /// Adds <paramref name="by"/> to the whole number that <paramref name="key"/> holds as text, as <c>SetValue</c> writes it; what is not
    /// there counts as 0. No increment is lost. An expiry of the key stays. With <c>ProtectValues</c>, where Redis cannot add, it is a
    /// compare-and-set as in <see cref="UpdateJsonAsync{T}(ISession, string, Func{T, T}, CancellationToken)"/>.
    /// </summary>
    /// <returns>The sum.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="key"/> is longer than 65,535 bytes in UTF-8.</exception>
    /// <exception cref="InvalidOperationException">
    /// The key holds something else, which stays as it is; or the session is not one of <c>AddRedisHashSession</c>, or is new and the
    /// response has started, so that no cookie can be sent.
    /// </exception>
    /// <exception cref="OverflowException">The sum does not fit into 64 bits; the value stays as it is.</exception>
    /// <exception cref="SessionEndedException">The session has ended since this request first saw it; nothing was written.</exception>
    /// <exception cref="OperationCanceledException">Redis did not answer in time, or the caller cancelled.</exception>
    public static Task<long> IncrementAsync(
        this ISession session, string key, long by = 1, CancellationToken cancellationToken = default) =>
        RedisHashSession.Of(session).IncrementAsync(key, by, cancellationToken);

    /// <summary>
    /// Changes JSON by compare-and-set: <paramref name="change"/> gets what is there, and what it returns is written if nobody was faster;
    /// else it is called again with what is there then, up to a thousand times. Two round trips, or one where the session is loaded; one
    /// more for each time that somebody was faster.
    /// </summary>
    /// <param name="session">The session.</param>
    /// <param name="key">The session key.</param>
    /// <param name="change">
    /// Makes the new value out of the old one, which is the default of <typeparamref name="T"/> where there is none, or none of this shape.
    /// It may be called several times, so it should do nothing else; it may change the object it is given.
    /// </param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>What was written.</returns>
    /// <exception cref="InvalidOperationException">
    /// Others were faster all the time; or the session is not one of <c>AddRedisHashSession</c>, or is new and the response has started, so
    /// that no cookie can be sent. Nothing was written.
    /// </exception>
    /// <inheritdoc cref="SessionAsyncSetterExtensions.SetAsync(ISession, string, byte[], CancellationToken)" path="/exception"/>
    [RequiresUnreferencedCode(SessionJson.NeedsReflection)]
    [RequiresDynamicCode(SessionJson.NeedsReflection)]
    public static Task<T> UpdateJsonAsync<T>(
        this ISession session, string key, Func<T?, T> change, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(change);
        return RedisHashSession.Of(session).UpdateAsync(
            key,
            stored =>
            {
                T changed = change(stored.JsonOr<T?>(default));
                return (SessionJson.Encode(changed), changed);
            },
            cancellationToken);
    }

    /// <summary>
    /// The same by <paramref name="typeInfo"/>: safe to trim and to compile ahead of time.
    /// </summary>
    /// <inheritdoc cref="UpdateJsonAsync{T}(ISession, string, Func{T, T}, CancellationToken)"/>
    public static Task<T> UpdateJsonAsync<T>(
        this ISession session, string key, Func<T?, T> change, JsonTypeInfo<T> typeInfo, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(change);
        ArgumentNullException.ThrowIfNull(typeInfo);
        return RedisHashSession.Of(session).UpdateAsync(
            key,
            stored =>
            {
                T changed = change(SessionJson.TryParse(stored.Raw, typeInfo, out var before) ? before : default);
                return (SessionJson.Encode(changed, typeInfo), changed);
            },
            cancellationToken);
    }
}
