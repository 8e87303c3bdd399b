using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider.Tests;

/// <summary>What the asynchronous extensions say where they have no session of ours, no arguments, or no Redis.</summary>
[TestFixture]
[Parallelizable]
internal sealed class AsynchronousExtensionsTests
{
    private static readonly KeyValuePair<string, byte[]>[] NullValue = [new("key", null!)];

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
    public Task Cancelled_call_ends_before_anything_is_asked(AsynchronousCall call)
    {
        var cancelled = new CancellationToken(canceled: true);
        return Assert.ThatAsync(
            () => call.Invoke(SessionWithoutRedis.Create(), "key", cancelled),
            Throws.InstanceOf<OperationCanceledException>().With.Property("CancellationToken").EqualTo(cancelled));
    }

    [TestCaseSource(nameof(Calls))]
    public Task Call_throws_when_redis_cannot_be_asked(AsynchronousCall call) => Assert.ThatAsync(
        () => call.Invoke(SessionWithoutRedis.Create(), "key", CancellationToken.None),
        Throws.Exception.SameAs(SessionWithoutRedis.Error));

    [Test]
    public async Task Null_arguments_are_named()
    {
        var session = SessionWithoutRedis.Create();

        using (Assert.EnterMultipleScope())
        {
            await Assert.ThatAsync(() => session.ReadAsync((IEnumerable<string>)null!).AsTask(), ThrowsNull.Of("keys"));
            await Assert.ThatAsync(() => session.SetAsync("key", null!), ThrowsNull.Of("value"));
            await Assert.ThatAsync(() => session.SetAsync((IEnumerable<KeyValuePair<string, byte[]>>)null!), ThrowsNull.Of("values"));
            await Assert.ThatAsync(() => session.SetAsync(NullValue), ThrowsNull.Of("value"));
            await Assert.ThatAsync(() => session.SetValueAsync<string>("key", null!), ThrowsNull.Of("value"));
            await Assert.ThatAsync(() => session.SetJsonAsync("key", new Preferences(), null!), ThrowsNull.Of("typeInfo"));
        }
    }

    [Test]
    public async Task Key_that_is_too_long_is_refused_before_anything_is_asked()
    {
        var session = SessionWithoutRedis.Create();
        string tooLong = new('a', 65_536);

        using (Assert.EnterMultipleScope())
        {
            await Assert.ThatAsync(() => session.SetAsync(tooLong, "x"u8.ToArray()), Throws.TypeOf<ArgumentOutOfRangeException>());
            await Assert.ThatAsync(() => session.SetValueAsync(tooLong, 7), Throws.TypeOf<ArgumentOutOfRangeException>());
        }
    }
}
