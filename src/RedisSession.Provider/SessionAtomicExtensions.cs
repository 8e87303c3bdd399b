using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization.Metadata;
using RedisSession.Provider;

namespace Microsoft.AspNetCore.Http;

/// <summary>
/// Changes to one key that depend on its current value, applied in Redis in one step, so that concurrent requests never undo each other.
/// One round trip each unless noted otherwise; earlier changes of the request that are not yet confirmed are confirmed first. The
/// synchronous API sees the results. Like every write, they renew the expiry.
/// </summary>
/// <remarks>
/// They require a session of <c>AddRedisHashSession</c>, and throw <see cref="InvalidOperationException"/> on any other. If Redis refuses
/// the change or is unavailable, they throw the client's exception, or <see cref="OperationCanceledException"/> after
/// <see cref="Builder.SessionOptions.IOTimeout"/>; a change that timed out or was cancelled may still have been applied.
/// </remarks>
public static class SessionAtomicExtensions
{
    /// <summary>
    /// Reads <paramref name="key"/> and removes it: of several concurrent calls, exactly one gets the value. For tokens that are valid
    /// once, and messages that are shown once. Never creates a session.
    /// </summary>
    /// <remarks>With <c>ProtectValues</c>, a value that cannot be decrypted reads as absent, and is removed all the same.</remarks>
    /// <returns>The value that was removed; its <see cref="SessionValue.None"/> is true if the key did not exist.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="InvalidOperationException">The session is not managed by <c>AddRedisHashSession</c>.</exception>
    /// <exception cref="SessionEndedException">The session has ended since this request first accessed it.</exception>
    /// <exception cref="OperationCanceledException">Redis did not answer in time, or the caller cancelled.</exception>
    public static Task<SessionValue> TakeAsync(this ISession session, string key, CancellationToken cancellationToken = default) =>
        RedisHashSession.Of(session).TakeAsync(key, cancellationToken);

    /// <summary>Sets <paramref name="key"/> if it does not exist: of several concurrent calls, exactly one succeeds.</summary>
    /// <returns>
    /// True if this call set the key; false if it already existed, in which case nothing was changed. With <c>ProtectValues</c>, a key
    /// whose value cannot be decrypted exists, though it reads as absent.
    /// </returns>
    /// <inheritdoc cref="SessionAsyncSetterExtensions.SetAsync(ISession, string, byte[], CancellationToken)" path="/exception"/>
    public static Task<bool> TrySetAsync(this ISession session, string key, byte[] value, CancellationToken cancellationToken = default) =>
        RedisHashSession.Of(session).TrySetAsync(key, value, cancellationToken);

    /// <summary>
    /// Sets <paramref name="key"/> to text, as <see cref="SessionSetterExtensions.SetValue{T}"/> writes it, if it does not exist.
    /// </summary>
    /// <inheritdoc cref="TrySetAsync(ISession, string, byte[], CancellationToken)" path="/returns"/>
    /// <inheritdoc cref="SessionAsyncSetterExtensions.SetAsync(ISession, string, byte[], CancellationToken)" path="/exception"/>
    public static Task<bool> TrySetValueAsync<T>(this ISession session, string key, T value, CancellationToken cancellationToken = default)
        where T : ISpanParsable<T>
    {
        ArgumentNullException.ThrowIfNull(value);
        return session.TrySetAsync(key, SessionText.Encode(value), cancellationToken);
    }

    /// <summary>
    /// Adds <paramref name="by"/> to the integer that <paramref name="key"/> holds as text, as <c>SetValue</c> writes it; a missing key
    /// counts as 0. No increment is lost. The key keeps its expiry. With <c>ProtectValues</c>, where Redis cannot add, it is a
    /// compare-and-set as in <see cref="UpdateJsonAsync{T}(ISession, string, Func{T, T}, CancellationToken)"/>.
    /// </summary>
    /// <returns>The sum.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="key"/> is longer than 65,535 bytes in UTF-8.</exception>
    /// <exception cref="InvalidOperationException">
    /// The key holds something else, or a value that cannot be decrypted here (<c>ProtectValues</c>), which is left unchanged; or the
    /// session is not managed by <c>AddRedisHashSession</c>; or it is new and the response has started, so that no cookie can be sent.
    /// </exception>
    /// <exception cref="OverflowException">The sum does not fit into 64 bits; the value is left unchanged.</exception>
    /// <exception cref="SessionEndedException">The session has ended since this request first accessed it; nothing was written.</exception>
    /// <exception cref="OperationCanceledException">Redis did not answer in time, or the caller cancelled.</exception>
    public static Task<long> IncrementAsync(
        this ISession session, string key, long by = 1, CancellationToken cancellationToken = default) =>
        RedisHashSession.Of(session).IncrementAsync(key, by, cancellationToken);

    /// <summary>
    /// Changes JSON by compare-and-set: <paramref name="change"/> gets the current value, and its result is written unless another request
    /// has changed the key meanwhile. In that case it is called again with the new value, up to a thousand times. Two round trips, or one
    /// if the session is loaded; one more for each retry.
    /// </summary>
    /// <param name="session">The session.</param>
    /// <param name="key">The session key.</param>
    /// <param name="change">
    /// Returns the new value for the old one, which is the default of <typeparamref name="T"/> if the key does not exist or does not hold
    /// JSON of this type. It may be called several times, so it should have no side effects; it may modify the object that it is given.
    /// </param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The value that was written.</returns>
    /// <exception cref="InvalidOperationException">
    /// Other requests kept changing the key; or it holds a value that cannot be decrypted here (<c>ProtectValues</c>); or the session is
    /// not managed by <c>AddRedisHashSession</c>; or it is new and the response has started, so that no cookie can be sent. Nothing was
    /// written.
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
    /// Like <see cref="UpdateJsonAsync{T}(ISession, string, Func{T, T}, CancellationToken)"/>, but serialized with
    /// <paramref name="typeInfo"/>: safe for trimming and ahead-of-time compilation.
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
