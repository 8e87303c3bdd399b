namespace RedisSession.Provider.Tests;

/// <summary>Where Python's <c>json.loads</c> reads what is no JSON to .NET: as the guide says it. Nothing throws.</summary>
internal sealed class SeedJsonDifferenceTests
{
    private static readonly string[] Fallback = ["fallback"];

    private static SessionValue Value(string text) => new(Encoding.UTF8.GetBytes(text));

    [Test]
    public void Of_a_name_that_is_twice_in_one_object_the_last_counts_where_there_is_a_type()
    {
        var value = Value("""{"theme":"dark","theme":"light"}""");
        Assert.That(value.Json().ToJsonString(), Is.EqualTo("{}"));
        Assert.That((value.Json<Preferences>().Theme, value.Json(CartJson.Default.Preferences).Theme), Is.EqualTo(("light", "light")));
        Assert.That(Value("""[{"a":1},{"a":2}]""").Json().AsArray(), Has.Count.EqualTo(2), "in two objects it is no repetition");
    }

    [Test]
    public void Half_a_surrogate_pair_is_no_text([Values("\"\\ud800\"", "\"a\\udc00b\"")] string json)
    {
        Assert.That((Value(json).Json().ToJsonString(), Value(json).JsonOr("fallback")), Is.EqualTo(("{}", "fallback")));
        Assert.That(Value("\"\\ud83d\\ude00\"").JsonOr("fallback"), Is.EqualTo("😀"), "a whole one is");
    }

    [Test]
    public void Nor_are_its_bytes()
    {
        SessionValue value = new([.. "\""u8, 0xED, 0xA0, 0x80, .. "\""u8]);
        Assert.That((value.Json().ToJsonString(), value.JsonOr("fallback")), Is.EqualTo(("{}", "fallback")));
    }

    // System.Text.Json stops with an error, long before the stack ends.
    [TestCase(64, true), TestCase(65, false), TestCase(1_000_000, false)]
    public void Json_is_read_to_a_depth_of_64(int depth, bool isRead)
    {
        string opened = new('[', depth), closed = opened + new string(']', depth);
        Assert.That(Value(closed).Json().ToJsonString(), Is.EqualTo(isRead ? closed : "{}"));
        Assert.That(Value(closed).JsonOr<object>(Fallback) != Fallback, Is.EqualTo(isRead));
        Assert.That(Value(opened).JsonOr<object>(Fallback), Is.SameAs(Fallback));
    }

    [Test]
    public void These_are_no_numbers([Values("Infinity", "-Infinity", "NaN", "null")] string json)
    {
        Assert.That((Value(json).Json().ToJsonString(), Value(json).JsonOr(7.5)), Is.EqualTo(("{}", 7.5)));
        Assert.That(Value($"[{json}]").JsonOr<double[]>([7.5]), Is.EqualTo([7.5]));
    }

    private static readonly Encoding[] OtherEncodings =
        [Encoding.Unicode, Encoding.BigEndianUnicode, Encoding.UTF32, new UTF32Encoding(bigEndian: true, byteOrderMark: true)];

    [Test]
    public void Only_UTF8_is_read([ValueSource(nameof(OtherEncodings))] Encoding encoding, [Values] bool hasMark)
    {
        SessionValue value = new([.. hasMark ? encoding.GetPreamble() : [], .. encoding.GetBytes("""{"theme":"dark"}""")]);
        Assert.That((value.Json().ToJsonString(), value.Json<Preferences>().Theme), Is.EqualTo(("{}", new Preferences().Theme)));
    }
}
