using System.Text;

namespace RedisSession.Provider.Tests;

/// <summary>Each getter in one call says what <see cref="SessionValue"/> says of that key, on whatever session.</summary>
internal sealed class GettersTests
{
    [TestCase("12")]
    [TestCase("1732526887267")]
    [TestCase("True")]
    [TestCase("""{"theme":"dark","Theme":"dark"}""")]
    [TestCase("nothing of the kind")]
    [TestCase(null)]
    public void Getters_answer_what_the_value_says(string? stored)
    {
        var session = new DictionarySession();
        if (stored is not null) session.Set("key", Encoding.UTF8.GetBytes(stored));
        var value = session.Read("key");
        var fallback = new Preferences();
        Assert.That(session.GetRaw("key"), Is.EqualTo(stored is null ? null : Encoding.UTF8.GetBytes(stored)));
        Assert.That(session.GetStr("key"), Is.EqualTo(value.Str));
        Assert.That(session.GetInt("key"), Is.EqualTo(value.Int));
        Assert.That(session.GetLong("key"), Is.EqualTo(value.Long));
        Assert.That(session.GetBool("key"), Is.EqualTo(value.Bool));
        Assert.That(session.IsNone("key"), Is.EqualTo(value.None).And.EqualTo(stored is null));
        Assert.That(session.GetValue("key", 7), Is.EqualTo(value.As(7)));
        Assert.That(session.GetJson("key").ToJsonString(), Is.EqualTo(value.Json().ToJsonString()));
        Assert.That(session.GetJson<Preferences>("key").Theme, Is.EqualTo(value.Json<Preferences>().Theme));
        Assert.That(session.GetJsonOr("key", fallback).Theme, Is.EqualTo(value.JsonOr(fallback).Theme));
        Assert.That(session.GetJson("key", CartJson.Default.Preferences).Theme, Is.EqualTo(value.Json<Preferences>().Theme));
        Assert.That(
            session.GetJsonOr("key", fallback, CartJson.Default.Preferences) == fallback,
            Is.EqualTo(value.JsonOr(fallback, CartJson.Default.Preferences) == fallback));
    }
}
