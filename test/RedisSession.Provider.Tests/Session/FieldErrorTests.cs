namespace RedisSession.Provider.Tests;

/// <summary>Texts that end in logs: a key is whatever an application makes of what a visitor says.</summary>
internal sealed class FieldErrorTests
{
    private const string Key = "a\r\nfake: line\u2029\u0000\u202e";

    private static IEnumerable<TestCaseData> Errors =>
    [
        Case("no number", FieldErrors.NoNumber(Key, "id")),
        Case("overflow", FieldErrors.NotAdded("ERR increment or decrement would overflow", Key, "id")),
        Case("not decrypted", FieldErrors.NotDecrypted(Key, "id")),
        Case("no integer", FieldErrors.NotAdded("ERR hash value is not an integer", Key, "id")),
        Case("not asked for", Assert.Throws<KeyNotFoundException>(() => _ = new SessionValues([], [])[Key])!),
    ];

    private static TestCaseData Case(string name, Exception error) => new TestCaseData(error).SetArgDisplayNames(name);

    [TestCaseSource(nameof(Errors))]
    public void A_key_with_line_breaks_stays_on_one_line(Exception error)
    {
        Assert.That(error.Message, Does.Contain(@"a\u000d\u000afake: line\u2029\u0000\u202e"));
        Assert.That(error.Message.Any(char.IsControl), Is.False);
    }

    [Test]
    public void Any_other_key_is_as_it_is([Values("cart", "größe 購物車 😀")] string key) => Assert.That(LogText.Line(key), Is.SameAs(key));
}
