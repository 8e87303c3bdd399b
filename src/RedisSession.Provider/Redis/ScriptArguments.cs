using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// What a script is given. Some of it may be asked for at each sending: what is sent again behind NOSCRIPT, or because the connection was
/// lost, must not say that the request has seen nothing when an answer has come meanwhile.
/// </summary>
internal readonly struct ScriptArguments
{
    private readonly RedisValue[]? _fixed;
    private readonly Func<RedisValue[]>? _asOfNow;

    public ScriptArguments(RedisValue[] arguments) => _fixed = arguments;

    public ScriptArguments(Func<RedisValue[]> asOfNow) => _asOfNow = asOfNow;

    /// <summary>For this sending.</summary>
    public RedisValue[] Now => _fixed ?? _asOfNow!();
}
