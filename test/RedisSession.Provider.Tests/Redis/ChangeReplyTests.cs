namespace RedisSession.Provider.Tests;

/// <summary>The three answers of the change script, as its remarks list them.</summary>
internal sealed class ChangeReplyTests
{
    [Test]
    public void Nil_is_the_end_of_a_session_and_empty_text_no_hash_and_other_text_the_generation()
    {
        Assert.That(Parse(RedisValue.Null), Is.EqualTo(new ChangeReply(Ended: true, Generation: default)));
        Assert.That(Parse(RedisValue.EmptyString), Is.EqualTo(new ChangeReply(Ended: false, Generation: default)));
        Assert.That(Parse(Encoding.ASCII.GetBytes("0123456789abcdef")), Is.EqualTo(new ChangeReply(Ended: false, "0123456789abcdef")));
    }

    private static ChangeReply Parse(RedisValue reply) => ChangeReply.Parse(RedisResult.Create(reply));
}
