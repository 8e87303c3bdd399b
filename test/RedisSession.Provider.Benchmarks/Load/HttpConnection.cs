using System.Net.Sockets;

namespace RedisSession.Provider.Benchmarks;

/// <summary>
/// One connection that is kept open and sends one request at a time. HttpClient would do as well, but the client shares its cores with the
/// server that it measures, and this costs a fraction.
/// </summary>
internal sealed class HttpConnection(IPEndPoint server) : IDisposable
{
    private readonly byte[] _buffer = new byte[4096];
    private Socket? _socket;

    /// <summary>The answer is good until the next call.</summary>
    /// <exception cref="SocketException">The connection broke.</exception>
    /// <exception cref="InvalidDataException">The answer makes no sense to this simple client, or none came.</exception>
    public async ValueTask<HttpAnswer> SendAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        try
        {
            var socket = _socket ??= await ConnectAsync(cancellationToken);
            await socket.SendAsync(request, cancellationToken);
            for (int length = 0; ;)
            {
                int received = await socket.ReceiveAsync(_buffer.AsMemory(length), cancellationToken);
                if (received == 0) throw new InvalidDataException("No whole answer: it is too long, or the server closed the connection.");
                length += received;
                if (HttpAnswer.TryParse(_buffer.AsMemory(0, length), out var answer)) return answer;
            }
        }
        catch
        {
            // An answer may yet come, and must not be taken for that of the next request.
            Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _socket?.Dispose();
        _socket = null;
    }

    private async Task<Socket> ConnectAsync(CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(server, cancellationToken);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
