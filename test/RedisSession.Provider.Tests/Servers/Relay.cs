using System.Net;
using System.Net.Sockets;

namespace RedisSession.Provider.Tests;

/// <summary>A TCP relay in front of a server, to do to the connection between what networks do to it.</summary>
internal sealed class Relay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly int _serverPort;
    private readonly Task _accepting;
    private long _repliesLeft = long.MaxValue;
    private TaskCompletionSource _repliesPass = Passing();

    public Relay(int serverPort)
    {
        _serverPort = serverPort;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string ConfigurationString => _listener.LocalEndpoint.ToString()!;

    /// <summary>
    /// Lets <paramref name="bytes"/> more bytes of replies through, then cuts the connection in the middle of one. New connections work.
    /// </summary>
    public void CutAfter(long bytes) => Interlocked.Exchange(ref _repliesLeft, bytes);

    /// <summary>Keeps all replies back until <see cref="Release"/>: what a client sends meanwhile, it sends without an answer.</summary>
    public void Hold() => _repliesPass = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Release() => _repliesPass.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting;
        _end.Dispose();
    }

    private static TaskCompletionSource Passing()
    {
        var passing = new TaskCompletionSource();
        passing.SetResult();
        return passing;
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
                    PumpAsync(client.GetStream(), server.GetStream(), cuts: false),
                    PumpAsync(server.GetStream(), client.GetStream(), cuts: true));
            }
            catch (Exception error) when (error is OperationCanceledException or SocketException)
            {
            }
        }
    }

    private async Task PumpAsync(NetworkStream from, NetworkStream to, bool cuts)
    {
        byte[] buffer = new byte[16 * 1024];
        try
        {
            int read;
            while ((read = await from.ReadAsync(buffer, _end.Token)) > 0)
            {
                if (cuts) await _repliesPass.Task.WaitAsync(_end.Token);
                long left = cuts ? Interlocked.Add(ref _repliesLeft, -read) : long.MaxValue;
                int pass = left < 0 ? (int)Math.Max(0, read + left) : read;
                await to.WriteAsync(buffer.AsMemory(0, pass), _end.Token);
                if (left < 0)
                {
                    Interlocked.Exchange(ref _repliesLeft, long.MaxValue);
                    return;
                }
            }
        }
        catch (Exception error) when (error is OperationCanceledException or IOException or ObjectDisposedException)
        {
        }
    }
}
