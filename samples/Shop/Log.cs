namespace Shop;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "No --session-redis given: started an embedded Redis server (Garnet) at {Address}.")]
    public static partial void EmbeddedRedisStarted(this ILogger logger, string address);
}
