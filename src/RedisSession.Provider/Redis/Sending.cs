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

        return Send(command, send);
    }

    /// <summary>
    /// The same for what each request sends: while its server is there it is the client's own task, and nothing is allocated for an outage.
    /// Whoever waits for it asks <see cref="Again"/> when it has failed.
    /// </summary>
    public static Task<T> Directly<TCommand, T>(
        IDatabase database, RedisKey key, TCommand command, Func<TCommand, Task<T>> send, bool again = true)
    {
        bool isThere = Outages.Of(database.Multiplexer) is not { Clock.IsAnyAway: true } || database.IsConnected(key, CommandFlags.DemandMaster);
        return isThere ? Send(command, send) : Try(database, key, command, send, again);
    }

    /// <summary>
    /// What becomes of a command that was sent <see cref="Directly"/> and has failed with the connection: as if <see cref="Try"/> had sent
    /// it. Null where that is no outage, or <see cref="Try"/> has sent it.
    /// </summary>
    public static Task<T>? Again<TCommand, T>(
        IDatabase database, RedisKey key, TCommand command, Func<TCommand, Task<T>> send, Task<T> failed, bool again = true) =>
        failed.Exception?.InnerException is { } error and (RedisConnectionException or RedisTimeoutException)
        && failed.AsyncState != SentCommand.Mark
        && Outages.Of(database.Multiplexer) is { } outages
            ? SentCommand<TCommand, T>.Recover(outages, database, key, command, send, again, error)
            : null;

    private static Task<T> Send<TCommand, T>(TCommand command, Func<TCommand, Task<T>> send)
    {
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
