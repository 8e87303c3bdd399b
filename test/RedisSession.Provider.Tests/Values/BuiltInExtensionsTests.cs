namespace RedisSession.Provider.Tests;

/// <summary>The extensions that ASP.NET Core itself has keep their meaning beside ours, with our namespaces imported.</summary>
internal sealed class BuiltInExtensionsTests
{
    [Test]
    public void They_write_and_read_four_bytes_and_utf8()
    {
        var session = new DictionarySession();
        session.SetInt32("count", -2);
        session.SetString("name", "é");
        Assert.That(session.Get("count"), Is.EqualTo(new byte[] { 0xFF, 0xFF, 0xFF, 0xFE }));
        Assert.That(session.Get("name"), Is.EqualTo(new byte[] { 0xC3, 0xA9 }));
        Assert.That((session.GetInt32("count"), session.GetString("name")), Is.EqualTo((-2, "é")));
        Assert.That((session.GetInt32("absent"), session.GetString("absent")), Is.EqualTo(((int?)null, (string?)null)));
    }

    [Test]
    public void GetInt32_does_not_read_text_and_GetInt_does()
    {
        var session = new DictionarySession();
        session.SetValue("count", 12);
        Assert.That((session.GetInt32("count"), session.GetInt("count")), Is.EqualTo(((int?)null, 12)));
    }

    [Test]
    public void Text_is_the_same_by_SetString_and_by_SetValue()
    {
        var session = new DictionarySession();
        session.SetString("built-in", "é😀");
        session.SetValue("ours", "é😀");
        Assert.That(session.Get("ours"), Is.EqualTo(session.Get("built-in")));
        Assert.That((session.GetStr("built-in"), session.GetString("ours")), Is.EqualTo(("é😀", "é😀")));
    }
}
