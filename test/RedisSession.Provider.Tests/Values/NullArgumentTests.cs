using System.Text.Json.Serialization.Metadata;

namespace RedisSession.Provider.Tests;

internal sealed class NullArgumentTests
{
    private static readonly JsonTypeInfo<Preferences> TypeInfo = CartJson.Default.Preferences;

    // The session and the key of every synchronous extension.
    private static IEnumerable<TestCaseData<Action<ISession, string>>> Calls =>
    [
        Call("Read", (session, key) => session.Read(key)),
        Call("GetRaw", (session, key) => session.GetRaw(key)),
        Call("GetStr", (session, key) => session.GetStr(key)),
        Call("GetInt", (session, key) => session.GetInt(key)),
        Call("GetLong", (session, key) => session.GetLong(key)),
        Call("GetBool", (session, key) => session.GetBool(key)),
        Call("GetValue", (session, key) => session.GetValue(key, 7)),
        Call("GetJson", (session, key) => session.GetJson(key)),
        Call("GetJson<T>", (session, key) => session.GetJson<Preferences>(key)),
        Call("GetJsonOr<T>", (session, key) => session.GetJsonOr(key, 7)),
        Call("GetJson<T>(typeInfo)", (session, key) => session.GetJson(key, TypeInfo)),
        Call("GetJsonOr<T>(typeInfo)", (session, key) => session.GetJsonOr(key, new Preferences(), TypeInfo)),
        Call("IsNone", (session, key) => session.IsNone(key)),
        Call("SetValue", (session, key) => session.SetValue(key, 7)),
        Call("SetJson", (session, key) => session.SetJson(key, 7)),
        Call("SetJson(typeInfo)", (session, key) => session.SetJson(key, new Preferences(), TypeInfo)),
    ];

    [TestCaseSource(nameof(Calls))]
    public void Null_session_is_named(Action<ISession, string> call) => Assert.That(() => call(null!, "key"), ThrowsNull.Of("session"));

    [TestCaseSource(nameof(Calls))]
    public void Null_key_is_named(Action<ISession, string> call) =>
        Assert.That(() => call(new DictionarySession(), null!), ThrowsNull.Of("key"));

    [Test]
    public void Null_value_and_type_info_are_named()
    {
        var session = new DictionarySession();
        session.SetValue("key", 7);
        Assert.That(() => session.SetValue<string>("key", null!), ThrowsNull.Of("value"));
        Assert.That(() => session.SetJson("key", 7, null!), ThrowsNull.Of("typeInfo"));
        Assert.That(() => session.GetJson("key", (JsonTypeInfo<Preferences>)null!), ThrowsNull.Of("typeInfo"));
        Assert.That(() => session.GetJsonOr("key", 7, null!), ThrowsNull.Of("typeInfo"));
        Assert.That(() => default(SessionValue).Json((JsonTypeInfo<Preferences>)null!), ThrowsNull.Of("typeInfo"));
    }

    [Test]
    public void Null_key_among_values_that_were_asked_for_is_named()
    {
        var values = new SessionValues(["a"], [default]);
        Assert.That(() => values[null!], ThrowsNull.Of("key"));
        Assert.That(() => values.ContainsKey(null!), ThrowsNull.Of("key"));
        Assert.That(() => values.TryGetValue(null!, out _), ThrowsNull.Of("key"));
    }

    private static TestCaseData<Action<ISession, string>> Call(string name, Action<ISession, string> call) =>
        new(call) { TestName = $"{{m}}({name})" };
}
