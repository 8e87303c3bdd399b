using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using RedisSession.Provider;

namespace Microsoft.AspNetCore.Http;

/// <summary>
/// The getters that are always live: each asks Redis for that field and nothing else, in both modes, before and after
/// <see cref="ISession.LoadAsync"/>. One round trip, no blocked thread; the first of a request renews the expiry in the same flight. A key
/// that this request has changed and not yet confirmed answers from that change, without a round trip.
/// </summary>
/// <remarks>
/// They need a session of <c>AddRedisHashSession</c>: on any other they throw <see cref="InvalidOperationException"/>. When Redis cannot be
/// asked they throw what the client throws, or <see cref="OperationCanceledException"/> after
/// <see cref="Builder.SessionOptions.IOTimeout"/>. Odd content never throws.
/// </remarks>
public static class SessionAsyncGetterExtensions
{
    /// <summary>What the session holds now under <paramref name="key"/>. One round trip (HMGET).</summary>
    /// <exception cref="ArgumentNullException"><paramref name="session"/> or <paramref name="key"/> is null.</exception>
    /// <exception cref="InvalidOperationException">The session is not one of <c>AddRedisHashSession</c>.</exception>
    /// <exception cref="OperationCanceledException">Redis did not answer in time, or the caller cancelled.</exception>
    public static ValueTask<SessionValue> ReadAsync(this ISession session, string key, CancellationToken cancellationToken = default) =>
        RedisHashSession.Of(session).ReadAsync(key, cancellationToken);

    /// <summary>What the session holds now under each of <paramref name="keys"/>. One round trip (one HMGET), however many.</summary>
    /// <inheritdoc cref="ReadAsync(ISession, string, CancellationToken)" path="/exception"/>
    public static ValueTask<SessionValues> ReadAsync(
        this ISession session, IEnumerable<string> keys, CancellationToken cancellationToken = default) =>
        RedisHashSession.Of(session).ReadAsync(keys, cancellationToken);

    /// <summary>
    /// Takes a newer snapshot, in either mode: the synchronous reads after it see what others have changed by now, plus this request's own
    /// changes. One round trip (HGETALL). After a failure it tries Redis again, where other members fail at once.
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
