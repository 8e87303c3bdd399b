using System.Net;
using System.Net.Sockets;
using Garnet;
using Garnet.server;

namespace Shop;

/// <summary>
/// A Redis-compatible server (Microsoft Garnet) inside this process, so that the sample needs nothing but the .NET SDK. It keeps everything
/// in memory and ends with the process. For a real shop use a real server.
/// </summary>
internal sealed class EmbeddedRedis : IDisposable
{
    private readonly GarnetServer _server;

    private EmbeddedRedis(IPEndPoint endPoint)
    {
        _server = new GarnetServer(new GarnetServerOptions
        {
            EndPoints = [endPoint],
            EnableLua = true, // sessions are written by scripts
            LuaOptions = new LuaOptions(), // without them EnableLua fails
            LogMemorySize = "512m", // taken as it fills; when it is full the oldest sessions are lost without a word
            IndexMemorySize = "8m", // taken at once
            QuietMode = true,
        });
        Address = endPoint.ToString();
    }

    public string Address { get; }

    public static EmbeddedRedis Start()
    {
        var redis = new EmbeddedRedis(new IPEndPoint(IPAddress.Loopback, FindFreePort()));
        redis._server.Start();
        return redis;
    }

    public void Dispose() => _server.Dispose();

    private static int FindFreePort()
    {
        // Garnet cannot be asked which port it was given, so it is told one that was free a moment ago.
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
