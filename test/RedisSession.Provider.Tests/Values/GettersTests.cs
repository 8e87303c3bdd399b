namespace RedisSession.Provider.Tests;

/// <summary>Each getter in one call says what <see cref="SessionValue"/> says of that key, on whatever session.</summary>
internal sealed class GettersTests
{
    [Test]
    public void Getters_answer_what_the_value_says(
        [Values("12", "1732526887267", "True", """{"theme":"dark","Theme":"dark"}""", "nothing of the kind", null)] string? stored)
    {
        var session = new DictionarySession();
        byte[]? bytes = stored is null ? null : Encoding.UTF8.GetBytes(stored);
        if (bytes is not null) session.Set("key", bytes);
        var value = session.Read("key");
        var fallback = new Preferences();
        var typeInfo = CartJson.Default.Preferences;
        Assert.That(session.GetRaw("key"), Is.EqualTo(bytes));
        Assert.That(session.IsNone("key"), Is.EqualTo(value.None).And.EqualTo(stored is null));
        Assert.That(
            (session.GetStr("key"), session.GetInt("key"), session.GetLong("key"), session.GetBool("key"), session.GetValue("key", 7)),
            Is.EqualTo((value.Str, value.Int, value.Long, value.Bool, value.As(7))));
        Assert.That(session.GetJson("key").ToJsonString(), Is.EqualTo(value.Json().ToJsonString()));
        Assert.That(
            (session.GetJson<Preferences>("key").Theme, session.GetJson("key", typeInfo).Theme, session.GetJsonOr("key", fallback).Theme),
            Is.EqualTo((value.Json<Preferences>().Theme, value.Json<Preferences>().Theme, value.JsonOr(fallback).Theme)));
        Assert.That(session.GetJsonOr("key", fallback, typeInfo) == fallback, Is.EqualTo(value.JsonOr(fallback, typeInfo) == fallback));
    }
}
