using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// Sends every command for sessions and cache entries. Whatever prevents sending is reported in the task, where the client itself would
/// throw at once: so every failure surfaces where replies do. While its server is unavailable, or says <see cref="IsNotNow"/>, a command
/// waits as long as <see cref="OutageClock"/> allows.
/// </summary>
internal static class Sending
{
    /// <param name="database">Where it is sent.</param>
    /// <param name="key">Its key, which determines the server.</param>
    /// <param name="command">What is sent; lets <paramref name="send"/> be static and allocate nothing.</param>
    /// <param name="send">Sends it.</param>
    /// <param name="again">
    /// Whether it may be sent again when the connection is lost and it is unknown whether the server has it: sending it twice has the same
    /// effect and reply as once.
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
    /// The same for what each request sends: while its server is available, it is the client's own task, and nothing is allocated for an
    /// outage. If it fails, the caller asks <see cref="Again"/>.
    /// </summary>
    public static Task<T> Directly<TCommand, T>(
        IDatabase database, RedisKey key, TCommand command, Func<TCommand, Task<T>> send, bool again = true)
    {
        bool isThere = Outages.Of(database.Multiplexer) is not { Clock.IsAnyAway: true } || database.IsConnected(key, CommandFlags.DemandMaster);
        return isThere ? Send(command, send) : Try(database, key, command, send, again);
    }

    /// <summary>
    /// True if a command that was sent <see cref="Directly"/> has failed with the connection, or <see cref="IsNotNow"/>, so that it may be
    /// sent <see cref="Again"/>.
    /// </summary>
    public static bool IsLost(IDatabase database, Task sent) =>
        sent.Exception?.InnerException is { } error
        && (error is RedisConnectionException or RedisTimeoutException || IsNotNow(error))
        && !SentCommand.Is(sent)
        && Outages.Of(database.Multiplexer) is not null;

    /// <summary>
    /// The server has not run the command, because it still loads its data, its cluster is down, or the keys are being moved; it will do so
    /// in a moment. A BUSY server says that only after it was silent for five seconds, and may be so for ever: that is an answer.
    /// </summary>
    public static bool IsNotNow(Exception? error) => error is
        RedisServerException { Kind: RedisErrorKind.Loading or RedisErrorKind.ClusterDown or RedisErrorKind.TryAgain }
        or RedisConnectionException { FailureType: ConnectionFailureType.Loading }; // the client cuts such a connection, as a rule

    /// <summary>
    /// Continues a command that <see cref="IsLost"/>, as if <see cref="Try"/> had sent it. Null if it is not, or <see cref="Try"/> has sent
    /// it.
    /// </summary>
    public static Task<T>? Again<TCommand, T>(
        IDatabase database, RedisKey key, TCommand command, Func<TCommand, Task<T>> send, Task<T> failed, bool again = true)
    {
        Primaries.LookAgainAfter(failed.Exception?.InnerException, database.Multiplexer);
        return IsLost(database, failed) && Outages.Of(database.Multiplexer) is { } outages
            ? SentCommand<TCommand, T>.Recover(outages, database, key, command, send, again, failed.Exception!.InnerException!)
            : null;
    }

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
