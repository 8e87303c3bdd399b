namespace RedisSession.Provider.Tests;

internal sealed class SpellingTests
{
    [TestCase("", "", 0), TestCase("", "abc", 3), TestCase("Cookie:Name", "cookie:name", 0), TestCase("Cookie:Nam", "Cookie:Name", 1)]
    [TestCase("Cookie:Names", "Cookie:Name", 1), TestCase("Cookie:Nane", "Cookie:Name", 1), TestCase("Cookie:Naem", "Cookie:Name", 1)]
    [TestCase("ProtectValeus", "ProtectValues", 1), TestCase("IdelTimout", "IdleTimeout", 2), TestCase("kitten", "sitting", 3)]
    [TestCase("ca", "abc", 3)]
    [TestCase("I\u0131", "ii", 1)] // whatever Turkish makes of it
    public void Edits_are_counted_from_either_side(string one, string other, int expected)
    {
        using var culture = new CultureScope("tr-TR");
        Assert.That((Spelling.Distance(one, other), Spelling.Distance(other, one)), Is.EqualTo((expected, expected)));
    }

    [Test]
    public void Nearest_is_the_one_with_the_fewest_edits_and_of_several_the_first() =>
        Assert.That(Spelling.Nearest("bat", ["house", "cat", "rat"]), Is.EqualTo("cat"));

    [TestCase("Cookie", "Cookie:Name")]
    [TestCase("cookie:secure", "Cookie:SecurePolicy")]
    [TestCase("Cookie:Sam", "Cookie:Name")] // two edits, which is near enough
    [TestCase("Cookie:Samo", "Cookie:Name")]
    [TestCase("Nothing of the kind", "Cookie:SameSite")]
    public void Nearest_to_the_beginning_of_a_name_is_that_name_unless_another_one_is_near(string name, string expected) =>
        Assert.That(Spelling.Nearest(name, ["Mode", "Cookie:Name", "Cookie:SecurePolicy", "Cookie:SameSite"]), Is.EqualTo(expected));

    [TestCase("SESSION_EXPIRE", null), TestCase("session_expire", null), TestCase("SESSION_EXPIRES", "SESSION_EXPIRE")]
    [TestCase("SESION_EXPIRES", "SESSION_EXPIRE"), TestCase("SESION_EXPIRIES", null), TestCase("", null)]
    public void Near_miss_is_one_or_two_edits_away(string name, string? expected) =>
        Assert.That(Spelling.NearMiss(name, ["SESSION_REDIS", "SESSION_EXPIRE"]), Is.EqualTo(expected));

    [Test]
    public void Nothing_is_near_to_nothing() => Assert.That(Spelling.NearMiss("SESSION_EXPIRES", []), Is.Null);
}
