using System.Numerics;
using System.Text.Json.Nodes;
using CsCheck;

namespace RedisSession.Provider.Tests;

/// <summary>Reading never throws, whatever another program, an older version or a person left in the hash.</summary>
internal sealed class OddContentTests
{
    // Bytes that make something nearly right more often than chance does: pieces of JSON, numbers, times, UTF-8 and its errors.
    private static readonly byte[][] Pieces =
    [
        .. ((string[])
        [
            "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u", "d800", "\"a\"", "\"owner\"", "\"lines\":", "\"total\":", "null", "true",
            "1e", "-", "+", ".", "0", "9", "1", "12", " ", "\t", "\n", "T", "Z", "2024-02-29", ":59", "+14:00", "Infinity", "NaN", "(", ")",
            "$", "%", "0x", "/*", "::1", "{0}", "é", "😀", "\u2212", "\u0663",
        ]).Select(Encoding.UTF8.GetBytes),
        [0x00], [0x80], [0xC0], [0xD8, 0x00], [0xED, 0xA0, 0x80], [0xEF, 0xBB, 0xBF], [0xF0, 0x9F], [0xFE, 0xFF], [0xFF],
    ];

    private static readonly Gen<byte[]> OddBytes = Gen.OneOf(
        Gen.Byte.Array[0, 64],
        Gen.OneOf(Pieces).Array[0, 24].Select(pieces => pieces.SelectMany(piece => piece).ToArray()));

    [Test]
    public void Reading_never_throws_and_leaves_the_stored_bytes_alone() => OddBytes.Sample(
        bytes =>
        {
            byte[] before = [.. bytes];
            ReadAll(new SessionValue(bytes));
            return bytes.AsSpan().SequenceEqual(before);
        },
        iter: 2_000,
        print: Convert.ToHexString);

    // A node reads its texts when it is first asked for them: what is no UTF-8, or half a surrogate pair, would throw then.
    [TestCase(new byte[] { 0x22, 0xFF, 0x22 })]
    [TestCase(new byte[] { 0x22, 0x5C, 0x75, 0x44, 0x38, 0x30, 0x30, 0x22 })] // "\uD800"
    [TestCase(new byte[] { 0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D })] // {"?":1}
    public void Json_with_texts_that_are_none_can_be_walked(byte[] bytes)
    {
        var node = new SessionValue(bytes).Json();
        Assert.That(() => node.ToJsonString(), Throws.Nothing);
        Assert.That(() => node is JsonObject members ? members["a"]?.ToString() : node.GetValue<string>(), Throws.Nothing);
    }

    // Each type has its parser; none may read a number into what another does not, but for 4 bytes, which SetInt32 may have written.
    [Test]
    public void What_is_an_int_is_the_same_number_as_a_long() => OddBytes.Sample(
        bytes =>
        {
            var value = new SessionValue(bytes);
            int number = value.As(int.MinValue);
            return number == int.MinValue || (value.Long == number && (bytes.Length == sizeof(int) || value.As(long.MinValue) == number));
        },
        iter: 2_000,
        print: Convert.ToHexString);

    private static void ReadAll(SessionValue value)
    {
        _ = (value.Raw, value.Str, value.Int, value.Long, value.Bool, value.None, value.ToString(), value.Json());
        _ = (value.As(""), value.As('x'), value.As(false), value.As((byte)0), value.As((short)0), value.As(0), value.As(0L), value.As(0ul));
        _ = (value.As(Int128.Zero), value.As(UInt128.Zero), value.As(BigInteger.Zero), value.As(Complex.Zero));
        _ = (value.As(0f), value.As(0.0), value.As(Half.Zero), value.As(0m));
        _ = (value.As(DateTime.MinValue), value.As(DateTimeOffset.MinValue), value.As(DateOnly.MinValue), value.As(TimeOnly.MinValue));
        _ = (value.As(TimeSpan.Zero), value.As(Guid.Empty), value.As(IPAddress.None), value.As(IPNetwork.Parse("10.0.0.0/8")));
        _ = (value.As(new Sku("", 0)), value.Json<Preferences>(), value.Json(CartJson.Default.Preferences));
        _ = (value.JsonOr((Cart?)null), value.JsonOr(null!, CartJson.Default.Cart));
        _ = (value.JsonOr<int[]>([]), value.JsonOr<byte[]>([]), value.Json<int>(), value.JsonOr<string>(""), value.JsonOr<object>(0));
        _ = (value.JsonOr((Uri?)null), value.JsonOr((Version?)null), value.JsonOr(TimeSpan.Zero), value.JsonOr(DateTimeOffset.MinValue));
        _ = (value.Json<Dictionary<string, object?>>(), value.Json<Dictionary<int, List<string?>>>());
        _ = (value.JsonOr((JsonNode?)null), value.JsonOr((JsonObject?)null), value.JsonOr((JsonArray?)null));
    }
}
