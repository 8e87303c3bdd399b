using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>Ids that are none, wherever one comes in: what is no session stays out of reach.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
[Parallelizable]
internal sealed class StrangeIdTests(ServerKind kind) : BothModesFixture(kind)
{
    private IRedisSessionDirectory Sessions => Apps[RedisSessionMode.Buffered].Services.GetRequiredService<IRedisSessionDirectory>();

    [Test]
    public async Task What_is_no_session_is_neither_shown_nor_ended()
    {
        string other = $"other:sessions:{SessionId.Of(Guid.NewGuid().ToString())}"; // of an application whose prefix is below ours
        foreach (string id in (string[])["x", other])
        {
            await Redis.HashSetAsync(Stack.KeyOf(id), [new("@gen", "12345678"), new("@user", "ann")]);
            await Redis.KeyExpireAsync(Stack.KeyOf(id), TimeSpan.FromMinutes(1));
        }

        await Redis.StringSetAsync(Stack.KeyOf("text"), "1", TimeSpan.FromMinutes(1));
        foreach (string id in (string[])["x", other, "text"])
        {
            Assert.That(await Sessions.GetAsync(id), Is.Null);
            Assert.That(await Sessions.EndAsync(id), Is.False);
            Assert.That(await Redis.KeyExistsAsync(Stack.KeyOf(id)), Is.True, id);
        }
    }

    [Test]
    public async Task What_somebody_has_written_into_a_users_list_is_neither_shown_nor_ended()
    {
        string user = $"user {Guid.NewGuid()}", strange = $"strange{Guid.NewGuid():N}";
        using var browser = Apps[RedisSessionMode.Buffered].NewBrowser();
        string id = await browser.VisitAsAsync(user, session =>
        {
            session.SetString("key", "1");
            return session.Id;
        });
        await Redis.HashSetAsync(Stack.KeyOf(strange), [new("@gen", "12345678"), new("@user", user)]);
        await Redis.KeyExpireAsync(Stack.KeyOf(strange), TimeSpan.FromMinutes(1));
        var list = SessionHashLayout.UserKeyOf(Stack.KeyPrefix, user);
        Assert.That(await Redis.KeyExistsAsync(list), Is.True);
        await Redis.SortedSetAddAsync(list, strange, double.MaxValue);

        Assert.That(await Sessions.FindByUserAsync(user).Select(session => session.Id).ToListAsync(), Is.EqualTo([id]));
        Assert.That(await Sessions.EndAllForUserAsync(user), Is.EqualTo(1));
        Assert.That(await Redis.KeyExistsAsync(Stack.KeyOf(strange)), Is.True);
    }
}
