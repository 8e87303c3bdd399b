using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>A script in flight that was sent directly, with what is needed to send it again: see <see cref="Sending.Directly"/>.</summary>
internal readonly struct SentScript(RedisScript script, IDatabase database, RedisValue[] arguments, Task<RedisResult> reply)
{
    /// <summary>The client's own task.</summary>
    public Task<RedisResult> Reply => reply;

    /// <summary>
    /// After the reply has failed: the reply to the script when sent again, if it was lost with the connection, else that failure. Done
    /// when this returns; it does not throw.
    /// </summary>
    public async ValueTask<Task<RedisResult>> AfterFailureAsync(RedisKey key)
    {
        if (script.SendAgainAsync(database, key, arguments, reply) is not { } again) return reply;
        await ((Task)again).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return again;
    }
}
