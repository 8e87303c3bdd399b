using System.Net;
using System.Net.Sockets;
using Garnet;
using Garnet.server;

namespace Shop;

/// <summary>
/// A Redis-compatible server (Microsoft Garnet) inside this process, so that the sample needs nothing but the .NET SDK. It keeps everything
/// in memory and ends with the process. For a real shop, use a real server.
/// </summary>
internal sealed class EmbeddedRedis : IDisposable
{
    private readonly Lock _starting = new();
    private GarnetServer? _server;

    /// <summary>The address it listens on; null unless started.</summary>
    public string? Address { get; private set; }

    /// <summary>Starts it once: options are created more than once, and all must name the same server. Returns its address.</summary>
    public string Start()
    {
        lock (_starting) return Address ??= StartServer();
    }

    public void Dispose() => _server?.Dispose();

    private string StartServer()
    {
        var endPoint = new IPEndPoint(IPAddress.Loopback, FindFreePort());
        _server = new GarnetServer(new GarnetServerOptions
        {
            EndPoints = [endPoint],
            EnableLua = true, // sessions are written by scripts
            LuaOptions = new LuaOptions(), // without them EnableLua fails
            LuaTransactionMode = true, // without it, other commands interleave with those of a script
            LogMemorySize = "512m", // allocated as it fills; when it is full, the oldest sessions are silently lost
            IndexMemorySize = "8m", // allocated at startup
            QuietMode = true,
        });
        _server.Start();
        return endPoint.ToString();
    }

    private static int FindFreePort()
    {
        // Garnet cannot report which port it was assigned, so pass it one that was free a moment ago.
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
