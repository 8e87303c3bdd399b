using System.Net;
using System.Security.Authentication;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// Makes a connection to find out why Redis refuses it. The client hides the server's reason: for a reconnection, it reports the failure,
/// but not that the password is wrong.
/// </summary>
internal static class RefusalProbe
{
    private const int Patience = 2000; // ms

    /// <summary>The refusal; null when the connection works, or no server can be reached.</summary>
    /// <param name="configuration">The connection's configuration.</param>
    /// <param name="server">The server in question; null for those of the configuration.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task<Refusal?> FindAsync(
        ConfigurationOptions configuration, EndPoint? server, CancellationToken cancellationToken)
    {
        var options = configuration.Clone();
        if (server is not null)
        {
            options.ServiceName = null;
            options.EndPoints.Clear();
            options.EndPoints.Add(server);
        }

        options.AbortOnConnectFail = true; // else nothing is told
        options.ConnectRetry = 1;
        options.ConnectTimeout = Math.Min(options.ConnectTimeout, Patience); // a client that is refused waits all of it for something better
        options.LoggerFactory = NullLoggerFactory.Instance;
        var connecting = ConnectionMultiplexer.ConnectAsync(options);
        _ = connecting.ContinueWith(
            static done =>
            {
                if (done.IsCompletedSuccessfully) done.Result.Dispose();
                else _ = done.Exception;
            },
            TaskScheduler.Default);
        try
        {
            await connecting.WaitAsync(cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            return ReasonIn(error) is { } reason ? new(reason, error) : null;
        }
    }

    /// <summary>
    /// The reason, if we reached the server and it refused us or its certificate failed; else null. By error kind, never by message.
    /// </summary>
    public static string? ReasonIn(Exception error)
    {
        for (var at = error; at is not null; at = at.InnerException)
        {
            switch (at)
            {
                case RedisServerException { Kind: RedisErrorKind.WrongPass }:
                    return "Redis does not accept the user and password (WRONGPASS)";
                case RedisServerException { Kind: RedisErrorKind.NoAuth }:
                    return "Redis requires a user and password (NOAUTH)";
                case AuthenticationException:
                    return "The TLS handshake failed: the server's certificate is not trusted, or its port does not speak TLS";
            }
        }

        return null;
    }

    /// <param name="Reason">Human-readable, with no text from the server or the application.</param>
    /// <param name="Error">What the client said.</param>
    internal sealed record Refusal(string Reason, Exception Error);
}
