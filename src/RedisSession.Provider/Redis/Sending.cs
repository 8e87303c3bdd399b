using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// How every command about sessions and cache entries is sent. What prevents it from being sent is in its task, where the client itself
/// would throw at once: so every failure is met where replies are. While its server is away it waits, for as long as
/// <see cref="OutageClock"/> says.
/// </summary>
internal static class Sending
{
    /// <param name="database">Where it is sent.</param>
    /// <param name="key">The key that it is about, which says to which server.</param>
    /// <param name="command">What is sent, so that <paramref name="send"/> can be static and allocates nothing.</param>
    /// <param name="send">Sends it.</param>
    /// <param name="again">
    /// Whether it may be sent again when the connection is lost and nobody knows whether the server has it: it does the same twice as once,
    /// and answers the same.
    /// </param>
    public static Task<T> Try<TCommand, T>(
        IDatabase database, RedisKey key, TCommand command, Func<TCommand, Task<T>> send, bool again = true)
    {
        if (Outages.Of(database.Multiplexer) is { } outages)
        {
            return SentCommand<TCommand, T>.Send(outages, database, key, command, send, again);
        }

        try
        {
            return send(command);
        }
        catch (Exception error)
        {
            return Task.FromException<T>(error);
        }
    }
}
