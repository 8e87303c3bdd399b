using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using RedisSession.Provider;

namespace Microsoft.AspNetCore.Http;

/// <summary>
/// The value of one session key, which can be read as various types. Reading never throws on unexpected content: a value that does not
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

    /// <summary>The text (UTF-8; invalid bytes become U+FFFD); <c>""</c> if the key is absent.</summary>
    public string Str => Raw is null ? "" : SessionText.Decode(Raw);

    /// <summary>
    /// The integer; <c>0</c> if the key is absent or does not hold an integer that fits (for larger ones, use <see cref="Long"/>). The
    /// value is first parsed as text, which may be surrounded by white space. Otherwise, 4 bytes are read as the big-endian integer that
    /// the built-in <c>SetInt32</c> writes, unless they are text: valid UTF-8 without control bytes (0x00 to 0x08, 0x0E to 0x1F, 0x7F).
    /// Thus text that is not a number never reads as one.
    /// </summary>
    /// <remarks>
    /// What <c>SetInt32</c> writes for numbers from -191,905,856 to 151,587,080 is never text. Outside that range, the bytes of some
    /// numbers are text: those of 825,373,492, for example, are the text <c>1234</c>. Read such numbers with <c>GetInt32</c>, or write them
    /// with <c>SetValue</c>.
    /// </remarks>
    [SuppressMessage("Naming", "CA1720:Identifier contains type name", Justification = "The name in redis-session.")]
    public int Int => As(0);

    /// <summary>
    /// The 64-bit integer, such as a time in milliseconds; <c>0</c> if the key is absent or does not hold an integer that fits. It reads
    /// everything that <see cref="Int"/> reads, with the same result, including what <c>SetInt32</c> writes.
    /// </summary>
    [SuppressMessage("Naming", "CA1720:Identifier contains type name", Justification = "The name that Int has.")]
    public long Long => Raw is not null && SessionText.TryParseLong(Raw, out long number) ? number : 0;

    /// <summary>True for the text <c>true</c> in any case, and for <c>1</c>; <c>false</c> for everything else.</summary>
    public bool Bool => As(false);

    /// <summary>
    /// The value as a <typeparamref name="T"/> in the invariant culture (numbers, dates in ISO 8601, <see cref="Guid"/>,
    /// <see cref="TimeSpan"/>, your own types); <paramref name="fallback"/> if the key is absent or does not hold one.
    /// <see cref="DateTimeOffset"/> reads a date and time without an offset as UTC.
    /// </summary>
    public T As<T>(T fallback)
        where T : ISpanParsable<T> => Raw is not null && SessionText.TryParse<T>(Raw, out var value) ? value : fallback;

    /// <summary>
    /// The JSON as stored: an object, an array, a number, a string or a boolean. An empty <see cref="JsonObject"/> if the key is absent, or
    /// holds <c>null</c> or no valid JSON. Each call returns a new node, which the caller may modify.
    /// </summary>
    public JsonNode Json() => SessionJson.TryParse(Raw, out var node) ? node : new JsonObject();

    /// <summary>The JSON as a <typeparamref name="T"/>; <c>new T()</c> if the key is absent or does not hold such JSON.</summary>
    [RequiresUnreferencedCode(SessionJson.NeedsReflection)]
    [RequiresDynamicCode(SessionJson.NeedsReflection)]
    public T Json<T>()
        where T : new() => SessionJson.TryParse<T>(Raw, out var value) ? value : new T();

    /// <summary>
    /// The JSON as a <typeparamref name="T"/>; <paramref name="fallback"/> if the key is absent or does not hold such JSON.
    /// </summary>
    [RequiresUnreferencedCode(SessionJson.NeedsReflection)]
    [RequiresDynamicCode(SessionJson.NeedsReflection)]
    public T JsonOr<T>(T fallback) => SessionJson.TryParse<T>(Raw, out var value) ? value : fallback;

    /// <summary>Like <see cref="Json{T}()"/>, without reflection: safe for trimming and ahead-of-time compilation.</summary>
    public T Json<T>(JsonTypeInfo<T> typeInfo)
        where T : new()
    {
        ArgumentNullException.ThrowIfNull(typeInfo);
        return SessionJson.TryParse(Raw, typeInfo, out var value) ? value : new T();
    }

    /// <summary>Like <see cref="JsonOr{T}(T)"/>, without reflection: safe for trimming and ahead-of-time compilation.</summary>
    public T JsonOr<T>(T fallback, JsonTypeInfo<T> typeInfo)
    {
        ArgumentNullException.ThrowIfNull(typeInfo);
        return SessionJson.TryParse(Raw, typeInfo, out var value) ? value : fallback;
    }

    /// <summary>The same as <see cref="Str"/>.</summary>
    public override string ToString() => Str;
}
