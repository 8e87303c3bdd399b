using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace RedisSession.Provider.Benchmarks;

/// <summary>
/// A TCP relay in front of a server that takes its time in each direction, as a long line does: what is sent together arrives together, and
/// whoever waits for an answer before sending more waits twice that long each time.
/// </summary>
internal sealed class DelayingRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly string _host;
    private readonly int _port;
    private readonly TimeSpan _delay;
    private readonly Task _accepting;

    public DelayingRelay(string server, TimeSpan delay)
    {
        int colon = server.LastIndexOf(':');
        (_host, _port) = (server[..colon], ushort.Parse(server.AsSpan(colon + 1), CultureInfo.InvariantCulture));
        _delay = delay;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string Address => _listener.LocalEndpoint.ToString()!;

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token));
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException)
        {
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var server = new TcpClient();
        using (client)
        {
            try
            {
                await server.ConnectAsync(_host, _port, _end.Token);
                client.NoDelay = server.NoDelay = true;
                await Task.WhenAny(RelayAsync(client.GetStream(), server.GetStream()), RelayAsync(server.GetStream(), client.GetStream()));
            }
            catch (Exception error) when (error is OperationCanceledException or SocketException)
            {
            }
        }
    }

    private async Task RelayAsync(NetworkStream from, NetworkStream to)
    {
        var line = Channel.CreateUnbounded<(long Arrived, byte[] Bytes)>();
        try
        {
            await Task.WhenAny(ReadAsync(from, line.Writer), WriteAsync(to, line.Reader)).Unwrap();
        }
        catch (Exception error) when (error is OperationCanceledException or IOException or ObjectDisposedException)
        {
        }
    }

    private async Task ReadAsync(NetworkStream from, ChannelWriter<(long Arrived, byte[] Bytes)> line)
    {
        byte[] buffer = new byte[16 * 1024];
        int read;
        while ((read = await from.ReadAsync(buffer, _end.Token)) > 0) line.TryWrite((Stopwatch.GetTimestamp(), buffer[..read]));
    }

    private async Task WriteAsync(NetworkStream to, ChannelReader<(long Arrived, byte[] Bytes)> line)
    {
        await foreach (var (arrived, bytes) in line.ReadAllAsync(_end.Token))
        {
            var left = _delay - Stopwatch.GetElapsedTime(arrived);
            if (left > TimeSpan.Zero) await Task.Delay(left, _end.Token);
            await to.WriteAsync(bytes, _end.Token);
        }
    }
}
