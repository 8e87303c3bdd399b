using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using RedisSession.Provider;

namespace Microsoft.AspNetCore.Http;

/// <summary>
/// Getters that are always live: each reads only its own field from Redis, in both modes, before and after
/// <see cref="ISession.LoadAsync"/>. One round trip, without blocking a thread; the first getter of a request also renews the expiry in the
/// same round trip. A key that this request has changed, but not yet confirmed, is answered from that change, without a round trip.
/// </summary>
/// <remarks>
/// They require a session of <c>AddRedisHashSession</c>, and throw <see cref="InvalidOperationException"/> on any other. If Redis is
/// unavailable, they throw the client's exception, or <see cref="OperationCanceledException"/> after
/// <see cref="Builder.SessionOptions.IOTimeout"/>. Unexpected content never throws.
/// </remarks>
public static class SessionAsyncGetterExtensions
{
    /// <summary>Reads the current value of <paramref name="key"/>. One round trip (HMGET).</summary>
    /// <exception cref="ArgumentNullException"><paramref name="session"/> or <paramref name="key"/> is null.</exception>
    /// <exception cref="InvalidOperationException">The session is not managed by <c>AddRedisHashSession</c>.</exception>
    /// <exception cref="OperationCanceledException">Redis did not answer in time, or the caller cancelled.</exception>
    public static ValueTask<SessionValue> ReadAsync(this ISession session, string key, CancellationToken cancellationToken = default) =>
        RedisHashSession.Of(session).ReadAsync(key, cancellationToken);

    /// <summary>Reads the current values of <paramref name="keys"/>. One round trip (one HMGET), however many.</summary>
    /// <inheritdoc cref="ReadAsync(ISession, string, CancellationToken)" path="/exception"/>
    public static ValueTask<SessionValues> ReadAsync(
        this ISession session, IEnumerable<string> keys, CancellationToken cancellationToken = default) =>
        RedisHashSession.Of(session).ReadAsync(keys, cancellationToken);

    /// <summary>
    /// Takes a new snapshot, in either mode: later synchronous reads see what other requests have changed by now, plus this request's own
    /// changes. One round trip (HGETALL). After a failure, it tries Redis again, whereas other members fail immediately.
    /// </summary>
    /// <inheritdoc cref="ReadAsync(ISession, string, CancellationToken)" path="/exception"/>
    public static Task ReloadAsync(this ISession session, CancellationToken cancellationToken = default) =>
        RedisHashSession.Of(session).ReloadAsync(cancellationToken);

    /// <inheritdoc cref="SessionValue.Raw"/>
    /// <remarks>One round trip.</remarks>
    public static async ValueTask<byte[]?> GetRawAsync(this ISession session, string key, CancellationToken cancellationToken = default) =>
        (await session.ReadAsync(key, cancellationToken).ConfigureAwait(false)).Raw;

    /// <inheritdoc cref="SessionValue.Str"/>
    /// <remarks>One round trip.</remarks>
    public static async ValueTask<string> GetStrAsync(this ISession session, string key, CancellationToken cancellationToken = default) =>
        (await session.ReadAsync(key, cancellationToken).ConfigureAwait(false)).Str;

    /// <inheritdoc cref="SessionValue.Int"/>
    /// <remarks>One round trip.</remarks>
    public static async ValueTask<int> GetIntAsync(this ISession session, string key, CancellationToken cancellationToken = default) =>
        (await session.ReadAsync(key, cancellationToken).ConfigureAwait(false)).Int;

    /// <inheritdoc cref="SessionValue.Long"/>
    /// <remarks>One round trip.</remarks>
    public static async ValueTask<long> GetLongAsync(this ISession session, string key, CancellationToken cancellationToken = default) =>
        (await session.ReadAsync(key, cancellationToken).ConfigureAwait(false)).Long;

    /// <inheritdoc cref="SessionValue.Bool"/>
    /// <remarks>One round trip.</remarks>
    public static async ValueTask<bool> GetBoolAsync(this ISession session, string key, CancellationToken cancellationToken = default) =>
        (await session.ReadAsync(key, cancellationToken).ConfigureAwait(false)).Bool;

    /// <inheritdoc cref="SessionValue.As{T}(T)"/>
    /// <remarks>One round trip.</remarks>
    public static async ValueTask<T> GetValueAsync<T>(
        this ISession session, string key, T fallback, CancellationToken cancellationToken = default)
        where T : ISpanParsable<T> => (await session.ReadAsync(key, cancellationToken).ConfigureAwait(false)).As(fallback);

    /// <inheritdoc cref="SessionValue.Json()"/>
    /// <remarks>One round trip.</remarks>
    public static async ValueTask<JsonNode> GetJsonAsync(
        this ISession session, string key, CancellationToken cancellationToken = default) =>
        (await session.ReadAsync(key, cancellationToken).ConfigureAwait(false)).Json();

    /// <inheritdoc cref="SessionValue.Json{T}()"/>
    /// <remarks>One round trip.</remarks>
    [RequiresUnreferencedCode(SessionJson.NeedsReflection)]
    [RequiresDynamicCode(SessionJson.NeedsReflection)]
    public static async ValueTask<T> GetJsonAsync<T>(this ISession session, string key, CancellationToken cancellationToken = default)
        where T : new() => (await session.ReadAsync(key, cancellationToken).ConfigureAwait(false)).Json<T>();

    /// <inheritdoc cref="SessionValue.JsonOr{T}(T)"/>
    /// <remarks>One round trip.</remarks>
    [RequiresUnreferencedCode(SessionJson.NeedsReflection)]
    [RequiresDynamicCode(SessionJson.NeedsReflection)]
    public static async ValueTask<T> GetJsonOrAsync<T>(
        this ISession session, string key, T fallback, CancellationToken cancellationToken = default) =>
        (await session.ReadAsync(key, cancellationToken).ConfigureAwait(false)).JsonOr(fallback);

    /// <inheritdoc cref="SessionValue.Json{T}(JsonTypeInfo{T})"/>
    /// <remarks>One round trip.</remarks>
    public static async ValueTask<T> GetJsonAsync<T>(
        this ISession session, string key, JsonTypeInfo<T> typeInfo, CancellationToken cancellationToken = default)
        where T : new() => (await session.ReadAsync(key, cancellationToken).ConfigureAwait(false)).Json(typeInfo);

    /// <inheritdoc cref="SessionValue.JsonOr{T}(T, JsonTypeInfo{T})"/>
    /// <remarks>One round trip.</remarks>
    public static async ValueTask<T> GetJsonOrAsync<T>(
        this ISession session, string key, T fallback, JsonTypeInfo<T> typeInfo, CancellationToken cancellationToken = default) =>
        (await session.ReadAsync(key, cancellationToken).ConfigureAwait(false)).JsonOr(fallback, typeInfo);

    /// <inheritdoc cref="SessionValue.None"/>
    /// <remarks>One round trip.</remarks>
    public static async ValueTask<bool> IsNoneAsync(this ISession session, string key, CancellationToken cancellationToken = default) =>
        (await session.ReadAsync(key, cancellationToken).ConfigureAwait(false)).None;
}
