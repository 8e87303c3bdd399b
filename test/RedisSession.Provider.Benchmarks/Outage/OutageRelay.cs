using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace RedisSession.Provider.Benchmarks;

/// <summary>A TCP relay in front of Redis that can be away: it cuts all connections and takes no new ones. Redis itself stays.</summary>
internal sealed class OutageRelay : IAsyncDisposable
{
    private readonly ConcurrentDictionary<TcpClient, bool> _clients = new();
    private readonly string _host;
    private readonly int _port;
    private TcpListener _listener = new(IPAddress.Loopback, 0);

    public OutageRelay(string redis)
    {
        int colon = redis.LastIndexOf(':');
        (_host, _port) = (redis[..colon], ushort.Parse(redis.AsSpan(colon + 1), CultureInfo.InvariantCulture));
        _listener.Start();
        EndPoint = (IPEndPoint)_listener.LocalEndpoint;
        _ = AcceptAsync(_listener);
    }

    public IPEndPoint EndPoint { get; }

    public void Down()
    {
        _listener.Stop();
        foreach (var client in _clients.Keys) client.Close();
    }

    public void Up()
    {
        _listener = new(EndPoint);
        _listener.Start();
        _ = AcceptAsync(_listener);
    }

    public ValueTask DisposeAsync()
    {
        Down();
        return ValueTask.CompletedTask;
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true) _ = ServeAsync(await listener.AcceptTcpClientAsync());
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // It is away.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var server = new TcpClient { NoDelay = true };
        client.NoDelay = true;
        _clients.TryAdd(client, true);
        try
        {
            await server.ConnectAsync(_host, _port);
            await Task.WhenAny(
                client.GetStream().CopyToAsync(server.GetStream()), server.GetStream().CopyToAsync(client.GetStream()));
        }
        catch (Exception error) when (error is SocketException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // Cut.
        }
        finally
        {
            _clients.TryRemove(client, out _);
            client.Dispose();
        }
    }
}
