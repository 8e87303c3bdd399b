using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using System.Threading.Channels;

namespace RedisSession.Provider.Tests;

/// <summary>
/// A TCP relay in front of a server (HOST:PORT), to do to the connection between what networks do to it: to take its time there and back, to
/// hold replies up, to be cut. However long it takes, what is sent together arrives together.
/// </summary>
internal sealed class Relay : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly int _ownPort;
    private readonly CancellationTokenSource _end = new();
    private readonly string _host;
    private readonly int _port;
    private readonly TimeSpan _there;
    private readonly TimeSpan _back;
    private readonly ConcurrentDictionary<TcpClient, bool> _clients = new();
    private Task _accepting;
    private long _repliesLeft = long.MaxValue;
    private TaskCompletionSource _repliesPass = new();
    private byte[]? _forbidden;
    private (byte[] Word, TaskCompletionSource Seen)? _awaited;
    private volatile bool _isDown;
    private int _cuts;
    private int _cutsInReplies;

    public Relay(string server, TimeSpan there = default, TimeSpan back = default)
    {
        int colon = server.LastIndexOf(':');
        (_host, _port) = (server[..colon], ushort.Parse(server.AsSpan(colon + 1), CultureInfo.InvariantCulture));
        (_there, _back) = (there, back);
        Release();
        (_listener, _ownPort) = Listen();
        _accepting = AcceptAsync();
    }

    private delegate ValueTask<int> Passage(ReadOnlyMemory<byte> bytes);

    /// <summary>HOST:PORT, where clients connect to.</summary>
    public string Address => $"127.0.0.1:{_ownPort}";

    /// <summary>
    /// Lets <paramref name="bytes"/> more bytes of replies through, then cuts the connection in the middle of one. New connections work.
    /// </summary>
    public void CutAfter(long bytes) => Interlocked.Exchange(ref _repliesLeft, bytes);

    /// <summary>
    /// Cuts each connection on which a client sends <paramref name="word"/>, as twemproxy does with commands that it does not know.
    /// </summary>
    public void CutAt(string word) => _forbidden = Encoding.ASCII.GetBytes(word);

    /// <summary>Done when a client has sent <paramref name="word"/>.</summary>
    public Task SeenAsync(string word)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _awaited = (Encoding.ASCII.GetBytes(word), seen);
        return seen.Task;
    }

    /// <summary>How often a connection was cut in the middle of a reply.</summary>
    public int CutsInReplies => Volatile.Read(ref _cutsInReplies);

    /// <summary>How often that has happened.</summary>
    public int Cuts => Volatile.Read(ref _cuts);

    /// <summary>Cuts all connections, and takes no new ones until <see cref="Up"/>: the server is away.</summary>
    public void Down()
    {
        _isDown = true; // also for a client that is accepted just now
        _listener.Stop();
        Cut();
    }

    /// <summary>It is back, on its port.</summary>
    public void Up()
    {
        _isDown = false;
        _listener.Start();
        _accepting = Task.WhenAll(_accepting, AcceptAsync());
    }

    /// <summary>Cuts all connections. New ones work.</summary>
    public void Cut()
    {
        foreach (var client in _clients.Keys) client.Close();
    }

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

    private static (TcpListener Listener, int Port) Listen()
    {
        for (int attempt = 1; ; attempt++)
        {
            int port = FreePort.Choose();
            var listener = new TcpListener(IPAddress.Loopback, port);
            try
            {
                listener.Start();
                return (listener, port);
            }
            catch (SocketException) when (attempt < FreePort.Attempts)
            {
                listener.Dispose(); // somebody has taken it since
            }
        }
    }

    private static bool IsEnd(Exception error) =>
        error is OperationCanceledException or SocketException or IOException or InvalidOperationException; // which a disposed one throws

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token));
        }
        catch (Exception error) when (IsEnd(error))
        {
            // The listener has stopped, perhaps between two clients.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var server = new TcpClient();
        _clients.TryAdd(client, true);
        using (client)
        {
            try
            {
                if (_isDown) return;
                await server.ConnectAsync(_host, _port, _end.Token);
                client.NoDelay = server.NoDelay = true;
                await Task.WhenAny(
                    PumpAsync(client.GetStream(), server.GetStream(), _there, CommandsThatPassAsync),
                    PumpAsync(server.GetStream(), client.GetStream(), _back, RepliesThatPassAsync));
            }
            catch (Exception error) when (IsEnd(error))
            {
            }
            finally
            {
                _clients.TryRemove(client, out _);
            }
        }
    }

    /// <summary>Until one side closes, or not all bytes may pass.</summary>
    private async Task PumpAsync(NetworkStream from, NetworkStream to, TimeSpan delay, Passage passage)
    {
        var line = Channel.CreateUnbounded<(long Arrived, byte[] Bytes)>();
        await Task.WhenAll(ReadAsync(), WriteAsync());

        async Task ReadAsync()
        {
            byte[] buffer = new byte[16 * 1024];
            try
            {
                int read;
                while ((read = await from.ReadAsync(buffer, _end.Token)) > 0)
                    line.Writer.TryWrite((Stopwatch.GetTimestamp(), buffer[..read]));
            }
            catch (Exception error) when (IsEnd(error))
            {
            }

            line.Writer.TryComplete();
        }

        async Task WriteAsync()
        {
            try
            {
                await foreach (var (arrived, bytes) in line.Reader.ReadAllAsync(_end.Token))
                {
                    var left = delay - Stopwatch.GetElapsedTime(arrived);
                    if (left > TimeSpan.Zero) await Task.Delay(left, _end.Token);
                    int pass = await passage(bytes);
                    await to.WriteAsync(bytes.AsMemory(0, pass), _end.Token);
                    if (pass < bytes.Length) return;
                }
            }
            catch (Exception error) when (IsEnd(error))
            {
            }
            finally
            {
                from.Close(); // ends the reading
            }
        }
    }

    private ValueTask<int> CommandsThatPassAsync(ReadOnlyMemory<byte> bytes)
    {
        if (_awaited is { } awaited && bytes.Span.IndexOf(awaited.Word) >= 0) awaited.Seen.TrySetResult();
        if (_forbidden is not { } word || bytes.Span.IndexOf(word) < 0) return new(bytes.Length);
        Interlocked.Increment(ref _cuts);
        return new(0);
    }

    private async ValueTask<int> RepliesThatPassAsync(ReadOnlyMemory<byte> bytes)
    {
        await _repliesPass.Task.WaitAsync(_end.Token);
        long left = Interlocked.Add(ref _repliesLeft, -bytes.Length);
        if (left >= 0) return bytes.Length;
        Interlocked.Exchange(ref _repliesLeft, long.MaxValue);
        Interlocked.Increment(ref _cutsInReplies);
        return (int)Math.Max(0, bytes.Length + left);
    }
}
