using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>The change script's reply: <see cref="SessionScripts.Change"/>.</summary>
/// <param name="Ended">The session that this request saw is gone: nothing was written.</param>
/// <param name="Generation">The hash's generation after the change; null when there is no hash.</param>
internal readonly record struct ChangeReply(bool Ended, RedisValue Generation)
{
    public static ChangeReply Parse(RedisResult reply)
    {
        var generation = (RedisValue)reply;
        return new(Ended: generation.IsNull, generation.IsNullOrEmpty ? RedisValue.Null : generation);
    }
}
