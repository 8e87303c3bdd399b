namespace RedisSession.Provider;

/// <summary>
/// What prevents a command from being sent is in its task, where the client itself would throw at once: so every failure is met where
/// replies are.
/// </summary>
internal static class Sending
{
    /// <param name="command">What is sent, so that <paramref name="send"/> can be static and allocates nothing.</param>
    /// <param name="send">Sends it.</param>
    public static Task<T> Try<TCommand, T>(TCommand command, Func<TCommand, Task<T>> send)
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
