using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace RedisSession.Provider.Tests;

/// <summary>
/// A TCP relay in front of a server that is far away: every reply takes its time, however many are on their way. So the time that a request
/// takes tells how many round trips it waited for, one after the other.
/// </summary>
internal sealed class DelayedReplies : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly int _serverPort;
    private readonly TimeSpan _delay;
    private readonly Task _accepting;

    public DelayedReplies(int serverPort, TimeSpan delay)
    {
        (_serverPort, _delay) = (serverPort, delay);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string ConfigurationString => _listener.LocalEndpoint.ToString()!;

    /// <summary>
    /// How many round trips the work that is prepared waits for: the least of several tries, since a busy machine can only add to it.
    /// </summary>
    public async Task<int> RoundTripsAsync(Func<Task<Func<Task>>> prepare)
    {
        int least = int.MaxValue;
        for (int i = 0; i < 3; i++)
        {
            var work = await prepare();
            var clock = Stopwatch.StartNew();
            await work();
            least = Math.Min(least, (int)((clock.Elapsed / _delay) + 0.1)); // timers may be a moment early
        }

        return least;
    }

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
                await server.ConnectAsync(IPAddress.Loopback, _serverPort, _end.Token);
                await Task.WhenAny(
                    client.GetStream().CopyToAsync(server.GetStream(), _end.Token), DelayAsync(server.GetStream(), client.GetStream()));
            }
            catch (Exception error) when (error is OperationCanceledException or SocketException)
            {
            }
        }
    }

    private async Task DelayAsync(NetworkStream from, NetworkStream to)
    {
        var replies = Channel.CreateUnbounded<(long Arrived, byte[] Bytes)>();
        var reading = ReadAsync();
        try
        {
            await foreach (var (arrived, bytes) in replies.Reader.ReadAllAsync(_end.Token))
            {
                var left = _delay - Stopwatch.GetElapsedTime(arrived);
                if (left > TimeSpan.Zero) await Task.Delay(left, _end.Token);
                await to.WriteAsync(bytes, _end.Token);
            }

            await reading;
        }
        catch (Exception error) when (error is OperationCanceledException or IOException or ObjectDisposedException)
        {
        }

        async Task ReadAsync()
        {
            byte[] buffer = new byte[16 * 1024];
            try
            {
                int read;
                while ((read = await from.ReadAsync(buffer, _end.Token)) > 0)
                    replies.Writer.TryWrite((Stopwatch.GetTimestamp(), buffer[..read]));
            }
            catch (Exception error) when (error is OperationCanceledException or IOException or ObjectDisposedException)
            {
            }

            replies.Writer.Complete();
        }
    }
}
