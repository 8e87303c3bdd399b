using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using RedisSession.Provider;

namespace Microsoft.AspNetCore.Http;

/// <summary>
/// What a session holds under one key, readable as whatever it looks like. Reading never throws on odd content: what does not
/// parse gives the fallback, as in redis-session. <c>default</c> is the value of an absent key.
/// </summary>
/// <param name="raw">The bytes as stored, or null for an absent key. They are not copied.</param>
[DebuggerDisplay("{None ? \"(none)\" : Str}")]
public readonly struct SessionValue(byte[]? raw)
{
    /// <summary>The bytes as stored; null when the key is absent. Treat them as read-only: they are not a copy.</summary>
    public byte[]? Raw { get; } = raw;

    /// <summary>True when the key is absent. An empty value is not absent.</summary>
    public bool None => Raw is null;

    /// <summary>The text (UTF-8; what is no UTF-8 becomes U+FFFD); <c>""</c> when the key is absent.</summary>
    public string Str => Raw is null ? "" : SessionText.Decode(Raw);

    /// <summary>
    /// The whole number; <c>0</c> when the key is absent, or holds none that fits: for larger ones there is <see cref="Long"/>. Text first,
    /// with white space around it or none; else 4 bytes are the big-endian integer that the built-in <c>SetInt32</c> writes, unless they
    /// are text, which is valid UTF-8 without control bytes (0x00 to 0x08, 0x0E to 0x1F, 0x7F): so no text that is no number reads as one.
    /// </summary>
    /// <remarks>
    /// What <c>SetInt32</c> writes for numbers from -191,905,856 to 151,587,080 is never text. Outside of that the bytes of some numbers
    /// are, such as 825,373,492, which is the text <c>1234</c>: read those with <c>GetInt32</c>, or write them with <c>SetValue</c>.
    /// </remarks>
    [SuppressMessage("Naming", "CA1720:Identifier contains type name", Justification = "The name in redis-session.")]
    public int Int => As(0);

    /// <summary>
    /// The whole number of 64 bits, such as a time in milliseconds; <c>0</c> when the key is absent, or holds none that fits. It reads all
    /// that <see cref="Int"/> reads, and the same: what <c>SetInt32</c> writes, too.
    /// </summary>
    [SuppressMessage("Naming", "CA1720:Identifier contains type name", Justification = "The name that Int has.")]
    public long Long => Raw is not null && SessionText.TryParseLong(Raw, out long number) ? number : 0;

    /// <summary>True for the text <c>true</c> in any case, and for <c>1</c>; <c>false</c> for everything else.</summary>
    public bool Bool => As(false);

    /// <summary>
    /// The value as a <typeparamref name="T"/> in invariant culture (numbers, dates in ISO 8601, <see cref="Guid"/>,
    /// <see cref="TimeSpan"/>, your own); <paramref name="fallback"/> when the key is absent or does not hold one. A date and time
    /// without offset is read as UTC by <see cref="DateTimeOffset"/>.
    /// </summary>
    public T As<T>(T fallback)
        where T : ISpanParsable<T> => Raw is not null && SessionText.TryParse<T>(Raw, out var value) ? value : fallback;

    /// <summary>
    /// The JSON as it stands: an object, an array, a number, a string, a boolean. An empty <see cref="JsonObject"/> when the key is
    /// absent, or holds <c>null</c> or no JSON. Each call gives a new node, which the caller may change.
    /// </summary>
    public JsonNode Json() => SessionJson.TryParse(Raw, out var node) ? node : new JsonObject();

    /// <summary>The JSON as a <typeparamref name="T"/>; <c>new T()</c> when the key is absent or holds none.</summary>
    [RequiresUnreferencedCode(SessionJson.NeedsReflection)]
    [RequiresDynamicCode(SessionJson.NeedsReflection)]
    public T Json<T>()
        where T : new() => SessionJson.TryParse<T>(Raw, out var value) ? value : new T();

    /// <summary>The JSON as a <typeparamref name="T"/>; <paramref name="fallback"/> when the key is absent or holds none.</summary>
    [RequiresUnreferencedCode(SessionJson.NeedsReflection)]
    [RequiresDynamicCode(SessionJson.NeedsReflection)]
    public T JsonOr<T>(T fallback) => SessionJson.TryParse<T>(Raw, out var value) ? value : fallback;

    /// <summary>As <see cref="Json{T}()"/>, without reflection: safe to trim and to compile ahead of time.</summary>
    public T Json<T>(JsonTypeInfo<T> typeInfo)
        where T : new()
    {
        ArgumentNullException.ThrowIfNull(typeInfo);
        return SessionJson.TryParse(Raw, typeInfo, out var value) ? value : new T();
    }

    /// <summary>As <see cref="JsonOr{T}(T)"/>, without reflection: safe to trim and to compile ahead of time.</summary>
    public T JsonOr<T>(T fallback, JsonTypeInfo<T> typeInfo)
    {
        ArgumentNullException.ThrowIfNull(typeInfo);
        return SessionJson.TryParse(Raw, typeInfo, out var value) ? value : fallback;
    }

    /// <summary>The same as <see cref="Str"/>.</summary>
    public override string ToString() => Str;
}
