using System.Text;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>The three answers of the change script, as its remarks list them.</summary>
[TestFixture]
[Parallelizable]
internal sealed class ChangeReplyTests
{
    [Test]
    public void Nil_says_that_the_session_has_ended() =>
        Assert.That(Parse(RedisValue.Null), Is.EqualTo(new ChangeReply(Ended: true, Generation: default)));

    [Test]
    public void Empty_text_says_that_there_is_no_hash_and_that_is_no_end() =>
        Assert.That(Parse(RedisValue.EmptyString), Is.EqualTo(new ChangeReply(Ended: false, Generation: default)));

    [Test]
    public void Text_is_the_generation() =>
        Assert.That(Parse(Encoding.ASCII.GetBytes("0123456789abcdef")), Is.EqualTo(new ChangeReply(Ended: false, "0123456789abcdef")));

    private static ChangeReply Parse(RedisValue reply) => ChangeReply.Parse(RedisResult.Create(reply));
}
