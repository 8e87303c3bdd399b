using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// A script's arguments. Some may be evaluated on each send: a script sent again after NOSCRIPT, or after a lost connection, must not say
/// that the request has seen nothing when a reply has arrived meanwhile.
/// </summary>
internal readonly struct ScriptArguments
{
    private readonly RedisValue[]? _fixed;
    private readonly Func<RedisValue[]>? _asOfNow;

    public ScriptArguments(RedisValue[] arguments) => _fixed = arguments;

    public ScriptArguments(Func<RedisValue[]> asOfNow) => _asOfNow = asOfNow;

    /// <summary>For this send.</summary>
    public RedisValue[] Now => _fixed ?? _asOfNow!();
}
