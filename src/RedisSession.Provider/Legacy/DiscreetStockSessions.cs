using System.Collections;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// Legacy sessions of AddSession, without their keys in exceptions. A blob is stored under the session key, the secret in the cookie, and
/// clients put the requested key into their exceptions: nobody who reads a log may be able to hijack a session.
/// </summary>
internal sealed class DiscreetStockSessions(IStockSessions left) : IStockSessions
{
    public Task<FoundLeft> FindAsync(string sessionKey, Waiting waiting) =>
        WithoutKeyAsync(left.FindAsync(sessionKey, waiting), sessionKey);

    public Task<bool> MarkAsync(string sessionKey, string generation, Waiting waiting) =>
        WithoutKeyAsync(left.MarkAsync(sessionKey, generation, waiting), sessionKey);

    public Task PassOverAsync(string sessionKey, Waiting waiting) => WithoutKeyAsync(PassedOverAsync(sessionKey, waiting), sessionKey);

    public Task<bool> EndAsync(string sessionKey, Waiting waiting) => WithoutKeyAsync(left.EndAsync(sessionKey, waiting), sessionKey);

    private async Task<bool> PassedOverAsync(string sessionKey, Waiting waiting)
    {
        await left.PassOverAsync(sessionKey, waiting).ConfigureAwait(false);
        return true;
    }

    private static async Task<T> WithoutKeyAsync<T>(Task<T> call, string sessionKey)
    {
        try
        {
            return await call.ConfigureAwait(false);
        }
        catch (Exception error) when (Names(error, sessionKey))
        {
            // Without the inner exception, which may contain the key as well.
            string message = error.Message.Replace(sessionKey, "(session key)", StringComparison.Ordinal);
            throw error switch
            {
                RedisConnectionException connection => new RedisConnectionException(
                    connection.FailureType, CommandFlags.None, message, innerException: null, connection.CommandStatus),
                RedisTimeoutException timeout => new RedisTimeoutException(CommandFlags.None, message, timeout.Commandstatus),
                RedisServerException server => new RedisServerException(server.Kind, CommandFlags.None, message),
                TimeoutException => new TimeoutException(message),
                _ => new InvalidOperationException($"{error.GetType()}: {message}"),
            };
        }
    }

    private static bool Names(Exception error, string sessionKey)
    {
        if (error.ToString().Contains(sessionKey, StringComparison.Ordinal)) return true;
        for (var inner = error; inner is not null; inner = inner.InnerException)
        {
            foreach (DictionaryEntry detail in inner.Data)
            {
                if (detail.Value?.ToString()?.Contains(sessionKey, StringComparison.Ordinal) == true) return true;
            }
        }

        return false;
    }
}
