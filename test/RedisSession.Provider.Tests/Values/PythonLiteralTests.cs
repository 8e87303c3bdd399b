using System.Text.Json.Nodes;

namespace RedisSession.Provider.Tests;

[TestFixture]
[Parallelizable]
internal sealed class PythonLiteralTests
{
    [TestCase("None", null)]
    [TestCase("b''", new byte[0])]
    [TestCase(@"b' 12\n'", new byte[] { 0x20, 0x31, 0x32, 0x0A })]
    [TestCase(@"b'\xff\xfe'", new byte[] { 0xFF, 0xFE })]
    [TestCase("""b"'a'" """, new byte[] { 0x27, 0x61, 0x27 })]
    public void Bytes_are_read(string literal, byte[]? expected) =>
        Assert.That(PythonLiteral.Bytes(literal.TrimEnd()), Is.EqualTo(expected));

    [TestCase("12")]
    [TestCase("b'12")]
    [TestCase("b'1'2'")]
    [TestCase(@"b'\q'")]
    [TestCase("b'é€'")]
    public void What_is_no_bytes_literal_is_an_error(string literal) =>
        Assert.That(() => PythonLiteral.Bytes(literal), Throws.TypeOf<FormatException>());

    [Test]
    public void Text_has_its_escapes_resolved() => Assert.That(PythonLiteral.Text(@"'\ufeff\'a\\'"), Is.EqualTo("\uFEFF'a\\"));

    [TestCase("{}", "{}")]
    [TestCase("{'a': 1}", """{"a":1}""")]
    [TestCase("[1]", "[1]")]
    [TestCase("'x'", "\"x\"")]
    [TestCase("True", "true")]
    [TestCase("1000.0", "1e3")]
    [TestCase("99999999999999999999999", "99999999999999999999999")]
    public void Json_is_read(string literal, string json) =>
        Assert.That(JsonNode.DeepEquals(PythonLiteral.Json(literal), JsonNode.Parse(json)), Is.True);

    [Test]
    public void None_is_no_json_node() => Assert.That(PythonLiteral.Json("None"), Is.Null);
}
