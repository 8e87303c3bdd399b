using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>A script in flight that was sent directly, with what is needed to send it again: see <see cref="Sending.Directly"/>.</summary>
internal readonly struct SentScript(RedisScript script, IDatabase database, RedisValue[] arguments, Task<RedisResult> reply)
{
    /// <summary>The client's own task.</summary>
    public Task<RedisResult> Reply => reply;

    /// <summary>
    /// It was sent while its server was unavailable, or could not be sent at all. It may reach Redis after what is sent now.
    /// </summary>
    public bool MayComeLate => reply.IsFaulted || SentCommand.Is(reply);

    /// <summary>
    /// The server has not run the script, see <see cref="Sending.IsNotNow"/>. Or the reply was lost with the connection, so that it is
    /// unknown whether the server ran it; running it twice has the same effect and reply as once.
    /// </summary>
    public bool MayBeRepeated =>
        Sending.IsLost(database, reply) && (script.IsRepeatable || Sending.IsNotNow(reply.Exception?.InnerException));

    /// <summary>
    /// After the reply has failed: the reply to the script when sent again, if it <see cref="Sending.IsLost"/>, else that failure. Done
    /// when this returns; it does not throw.
    /// </summary>
    /// <param name="key">The script's key.</param>
    /// <param name="generationSeen">See <see cref="SessionScripts.SeenByThen"/>; null if the arguments are to stay as they are.</param>
    public async ValueTask<Task<RedisResult>> AfterFailureAsync(RedisKey key, Func<RedisValue>? generationSeen = null)
    {
        var asOfThen = generationSeen is null ? new(arguments) : SessionScripts.SeenByThen(arguments, generationSeen);
        if (script.SendAgainAsync(database, key, asOfThen, reply) is not { } again) return reply;
        await ((Task)again).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return again;
    }

    /// <summary>The reply to another script that is sent in place of this one, which <see cref="MayBeRepeated"/>.</summary>
    public Task<RedisResult> RepeatAsync(RedisKey key, RedisScript repeated, ScriptArguments repeatedArguments) =>
        repeated.SendAgainAsync(database, key, repeatedArguments, reply) ?? reply;
}
