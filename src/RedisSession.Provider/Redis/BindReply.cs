using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>What the bind script answers about a session that there is: <see cref="UserScripts.Bind"/>.</summary>
/// <param name="User">Whose session it is; null when it is nobody's.</param>
/// <param name="Before">Whose it was until this very call; null when that has not changed, or it was nobody's.</param>
/// <param name="Generation">Which life of the session that is.</param>
/// <param name="TimeToLive">How many milliseconds it can live from now on, unless it is used again.</param>
internal sealed record BindReply(string? User, string? Before, long TimeToLive, RedisValue Generation)
{
    /// <summary>Null when there is no such session.</summary>
    public static BindReply? Parse(RedisResult reply) =>
        reply.IsNull ? null : new(NameIn(reply[0]), NameIn(reply[1]), (long)reply[2], (RedisValue)reply[3]);

    private static string? NameIn(RedisResult text) => (string?)text is { Length: > 0 } name ? name : null;
}
