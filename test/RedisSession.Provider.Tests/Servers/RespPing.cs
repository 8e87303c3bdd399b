using System.Net;
using System.Net.Sockets;
using System.Text;

namespace RedisSession.Provider.Tests;

/// <summary>Asks a port on loopback for a sign of life, without the reconnecting that a full client does.</summary>
internal static class RespPing
{
    /// <summary>Whether the server answers PING in time. An answer that asks for a password is one, too.</summary>
    public static async Task<bool> AnswersAsync(int port, TimeSpan timeout)
    {
        using var cancellation = new CancellationTokenSource(timeout);
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port, cancellation.Token);
            var stream = client.GetStream();
            await stream.WriteAsync("PING\r\n"u8.ToArray(), cancellation.Token);
            using var reader = new StreamReader(stream, Encoding.ASCII);
            var answer = await reader.ReadLineAsync(cancellation.Token) ?? "";
            return answer == "+PONG" || answer.StartsWith("-NOAUTH", StringComparison.Ordinal);
        }
        catch (Exception exception) when (exception is SocketException or IOException or OperationCanceledException)
        {
            return false;
        }
    }
}
