using System.Net.Sockets;

namespace RedisSession.Provider.Tests;

/// <summary>Loopback ports for servers.</summary>
internal static class FreePort
{
    /// <summary>How often a start may find its port taken between the choice and the binding.</summary>
    public const int Attempts = 20;

    // Below the range that the operating system hands to outgoing connections. From inside it, a client that reconnects to
    // a killed server can be given the server's own port as its source port: it then talks to itself and the server
    // cannot come back.
    private const int Lowest = 20_000;
    private const int Highest = 29_999;

    private const int Count = Highest - Lowest + 1;

    // Coprime to the count, so that each port has its turn; and others than those of another process that runs tests.
    private static readonly int Step = (10 * Random.Shared.Next(Count / 10)) + 3;

    private static int _last = Random.Shared.Next(Count);

    /// <summary>Each in its turn, so that nobody else in this process gets that of a server which is down for a while.</summary>
    public static int Choose()
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var port = Lowest + (int)((uint)Interlocked.Add(ref _last, Step) % Count);
            if (IsFree(port)) return port;
        }

        throw new InvalidOperationException($"Found no free port between {Lowest} and {Highest}.");
    }

    public static bool IsFree(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
