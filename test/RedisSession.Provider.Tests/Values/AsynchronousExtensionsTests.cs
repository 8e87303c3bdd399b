using System.Reflection;

namespace RedisSession.Provider.Tests;

/// <summary>What the asynchronous extensions say where they have no session of ours, no arguments, or no Redis.</summary>
internal sealed class AsynchronousExtensionsTests
{
    private static readonly CancellationToken Cancelled = new(canceled: true);
    private static IEnumerable<AsynchronousCall> Calls => AsynchronousCall.All;

    // A new extension that is missing in the table would go unchecked.
    [Test]
    public void Every_asynchronous_extension_is_in_the_table() =>
        Assert.That(Calls.Select(call => call.Name), Is.EquivalentTo(AsynchronousCall.PublicNames));

    [TestCaseSource(nameof(Calls))]
    public Task Foreign_session_is_refused_with_what_to_do(AsynchronousCall call) => Assert.ThatAsync(
        () => call.Invoke(new DictionarySession(), "key", CancellationToken.None),
        Throws.InvalidOperationException.With.Message.Contains("AddRedisHashSession").And.Message.Contains(nameof(DictionarySession)));

    [TestCaseSource(nameof(Calls))]
    public Task Null_session_is_named(AsynchronousCall call) =>
        Assert.ThatAsync(() => call.Invoke(null!, "key", CancellationToken.None), ThrowsNull.Of("session"));

    private static IEnumerable<AsynchronousCall> CallsWithKey => Calls.Where(call => call.Name != "ReloadAsync");

    [TestCaseSource(nameof(CallsWithKey))]
    public Task Null_key_is_named(AsynchronousCall call) => Assert.ThatAsync(
        () => call.Invoke(SessionWithoutRedis.Create(), null!, CancellationToken.None),
        Throws.ArgumentNullException.With.Property(nameof(ArgumentException.ParamName)).AnyOf("key", "keys"));

    [TestCaseSource(nameof(Calls))]
    public Task Cancelled_call_ends_before_anything_is_asked(AsynchronousCall call) => Assert.ThatAsync(
        () => call.Invoke(SessionWithoutRedis.Create(), "key", Cancelled),
        Throws.InstanceOf<OperationCanceledException>().With.Property("CancellationToken").EqualTo(Cancelled));

    [TestCaseSource(nameof(Calls))]
    public Task Call_throws_when_redis_cannot_be_asked(AsynchronousCall call) => Assert.ThatAsync(
        () => call.Invoke(SessionWithoutRedis.Create(), "key", CancellationToken.None),
        Throws.Exception.SameAs(SessionWithoutRedis.Error));

    [Test]
    public async Task Null_arguments_are_named()
    {
        var session = SessionWithoutRedis.Create();
        await Assert.ThatAsync(() => session.ReadAsync((IEnumerable<string>)null!).AsTask(), ThrowsNull.Of("keys"));
        await Assert.ThatAsync(() => session.SetAsync("key", null!), ThrowsNull.Of("value"));
        await Assert.ThatAsync(() => session.SetAsync((IEnumerable<KeyValuePair<string, byte[]>>)null!), ThrowsNull.Of("values"));
        await Assert.ThatAsync(() => session.SetAsync([new("key", null!)]), ThrowsNull.Of("value"));
        await Assert.ThatAsync(() => session.SetValueAsync<string>("key", null!), ThrowsNull.Of("value"));
        await Assert.ThatAsync(() => session.SetJsonAsync("key", new Preferences(), null!), ThrowsNull.Of("typeInfo"));
    }

    [Test]
    public async Task Key_that_is_too_long_is_refused_before_anything_is_asked()
    {
        var session = SessionWithoutRedis.Create();
        string tooLong = new('a', 65_536);
        await Assert.ThatAsync(() => session.SetAsync(tooLong, "x"u8.ToArray()), Throws.TypeOf<ArgumentOutOfRangeException>());
        await Assert.ThatAsync(() => session.SetValueAsync(tooLong, 7), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    /// <summary>One call of each public asynchronous extension.</summary>
    internal sealed record AsynchronousCall(string Name, Func<ISession, string, CancellationToken, Task> Invoke)
    {
        private static readonly byte[] Bytes = [1];
        private static readonly TimeSpan OneMinute = TimeSpan.FromMinutes(1);
        private static readonly Cart Cart = new("owner", [], 0);

        public static IReadOnlyList<AsynchronousCall> All { get; } =
        [
            new("ReadAsync", (session, key, token) => session.ReadAsync(key, token).AsTask()),
            new("ReadAsync", (session, key, token) => session.ReadAsync([key], token).AsTask()),
            new("ReloadAsync", (session, _, token) => session.ReloadAsync(token)),
            new("GetRawAsync", (session, key, token) => session.GetRawAsync(key, token).AsTask()),
            new("GetStrAsync", (session, key, token) => session.GetStrAsync(key, token).AsTask()),
            new("GetIntAsync", (session, key, token) => session.GetIntAsync(key, token).AsTask()),
            new("GetLongAsync", (session, key, token) => session.GetLongAsync(key, token).AsTask()),
            new("GetBoolAsync", (session, key, token) => session.GetBoolAsync(key, token).AsTask()),
            new("GetValueAsync", (session, key, token) => session.GetValueAsync(key, 7, token).AsTask()),
            new("GetJsonAsync", (session, key, token) => session.GetJsonAsync(key, token).AsTask()),
            new("GetJsonAsync", (session, key, token) => session.GetJsonAsync<Preferences>(key, token).AsTask()),
            new("GetJsonOrAsync", (session, key, token) => session.GetJsonOrAsync(key, 7, token).AsTask()),
            new("GetJsonAsync", (session, key, token) => session.GetJsonAsync(key, CartJson.Default.Preferences, token).AsTask()),
            new("GetJsonOrAsync", (session, key, token) => session.GetJsonOrAsync(key, Cart, CartJson.Default.Cart, token).AsTask()),
            new("IsNoneAsync", (session, key, token) => session.IsNoneAsync(key, token).AsTask()),
            new("SetAsync", (session, key, token) => session.SetAsync(key, Bytes, token)),
            new("SetAsync", (session, key, token) => session.SetAsync([new(key, Bytes)], token)),
            new("SetValueAsync", (session, key, token) => session.SetValueAsync(key, 7, token)),
            new("SetJsonAsync", (session, key, token) => session.SetJsonAsync(key, 7, token)),
            new("SetJsonAsync", (session, key, token) => session.SetJsonAsync(key, Cart, CartJson.Default.Cart, token)),
            new("SetAsync", (session, key, token) => session.SetAsync(key, Bytes, OneMinute, token)),
            new("SetValueAsync", (session, key, token) => session.SetValueAsync(key, 7, OneMinute, token)),
            new("TakeAsync", (session, key, token) => session.TakeAsync(key, token)),
            new("TrySetAsync", (session, key, token) => session.TrySetAsync(key, Bytes, token)),
            new("TrySetValueAsync", (session, key, token) => session.TrySetValueAsync(key, 7, token)),
            new("IncrementAsync", (session, key, token) => session.IncrementAsync(key, 1, token)),
            new("UpdateJsonAsync", (session, key, token) => session.UpdateJsonAsync<int>(key, n => n, token)),
            new("UpdateJsonAsync", (session, key, token) => session.UpdateJsonAsync(key, _ => Cart, CartJson.Default.Cart, token)),
            new("RemoveAsync", (session, key, token) => session.RemoveAsync(key, token)),
        ];

        /// <summary>The names of all there are, once for each overload.</summary>
        public static IEnumerable<string> PublicNames =>
            from type in
                (Type[])[typeof(SessionAsyncGetterExtensions), typeof(SessionAsyncSetterExtensions), typeof(SessionAtomicExtensions)]
            from method in type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
            select method.Name;

        public override string ToString() => Name;
    }
}
