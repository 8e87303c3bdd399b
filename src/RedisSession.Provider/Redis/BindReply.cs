using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>The bind script's reply about an existing session: <see cref="UserScripts.Bind"/>.</summary>
/// <param name="User">The session's owner; null if it has none.</param>
/// <param name="Before">The owner until this call; null if that has not changed, or there was none.</param>
/// <param name="Generation">The session's generation.</param>
/// <param name="TimeToLive">How many milliseconds it has left to live, unless it is used again.</param>
internal sealed record BindReply(string? User, string? Before, long TimeToLive, RedisValue Generation)
{
    /// <summary>Null when there is no such session.</summary>
    public static BindReply? Parse(RedisResult reply) =>
        reply.IsNull ? null : new(NameIn(reply[0]), NameIn(reply[1]), (long)reply[2], (RedisValue)reply[3]);

    private static string? NameIn(RedisResult text) => (string?)text is { Length: > 0 } name ? name : null;
}
