using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider.Tests;

/// <summary>What a session answers from itself alone, and where there is no Redis (<see cref="FailureMode.LogAndContinue"/>).</summary>
[TestFixture]
[Parallelizable(ParallelScope.All)]
internal sealed class SessionWithoutRedisTests
{
    [Test]
    public void Id_is_the_public_id_of_the_session_key() =>
        Assert.That(SessionWithoutRedis.Create().Id, Is.EqualTo(SessionId.Of("session key")));

    [Test]
    public void Reads_find_nothing_and_say_that_redis_is_away()
    {
        var session = SessionWithoutRedis.Create();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(session.TryGetValue("key", out _), Is.False);
            Assert.That(session.Keys, Is.Empty);
            Assert.That(session.GetInt("key"), Is.Zero);
            Assert.That(session.IsAvailable, Is.False);
        }
    }

    [Test]
    public void Availability_is_found_out_by_whoever_asks_first() => Assert.That(SessionWithoutRedis.Create().IsAvailable, Is.False);

    [Test]
    public void Own_writes_are_read_back()
    {
        var session = SessionWithoutRedis.Create();
        session.SetValue("one", 1);
        session.SetValue("two", 2);
        session.Remove("two");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(session.GetInt("one"), Is.EqualTo(1));
            Assert.That(session.IsNone("two"), Is.True);
            Assert.That(session.Keys, Is.EqualTo(["one"]));
        }
    }

    [Test]
    public void Value_is_copied_when_it_is_set()
    {
        var session = SessionWithoutRedis.Create();
        byte[] buffer = [1];
        session.Set("key", buffer);
        buffer[0] = 2;
        Assert.That(session.Get("key"), Is.EqualTo(new byte[] { 1 }));
    }

    [Test]
    public Task Load_throws() =>
        Assert.ThatAsync(() => SessionWithoutRedis.Create().LoadAsync(), Throws.Exception.SameAs(SessionWithoutRedis.Error));

    [Test]
    public Task Commit_throws()
    {
        var session = SessionWithoutRedis.Create();
        session.SetValue("key", 1);
        return Assert.ThatAsync(() => session.CommitAsync(), Throws.Exception.SameAs(SessionWithoutRedis.Error));
    }

    [Test]
    public void Session_that_cannot_be_established_any_more_refuses_to_set()
    {
        var session = SessionWithoutRedis.Create(tryEstablishSession: () => false);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => session.SetValue("key", 1), Throws.InvalidOperationException.With.Message.Contains("response has started"));
            Assert.That(session.Keys, Is.Empty);
        }
    }

    [Test]
    public void Null_and_too_long_keys_are_refused()
    {
        var session = SessionWithoutRedis.Create();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => session.Set(null!, []), ThrowsNull.Of("key"));
            Assert.That(() => session.Set("key", null!), ThrowsNull.Of("value"));
            Assert.That(() => session.Remove(null!), ThrowsNull.Of("key"));
            Assert.That(() => session.TryGetValue(null!, out _), ThrowsNull.Of("key"));
            Assert.That(() => session.Set(new('a', 65_536), []), Throws.TypeOf<ArgumentOutOfRangeException>());
        }
    }
}
