using Garnet;
using Garnet.common;
using Garnet.server;

namespace RedisSession.Provider.Tests;

/// <summary>Microsoft Garnet inside the test process. The tests keep to one at a time.</summary>
internal sealed class EmbeddedGarnet(GarnetServer server, int port) : IRunningServer
{
    public string ConfigurationString => $"127.0.0.1:{port}";

    public static EmbeddedGarnet Start()
    {
        for (var attempt = 1; ; attempt++)
        {
            var port = FreePort.Choose();
            var server = new GarnetServer(Options(port));
            try
            {
                server.Start();
                return new EmbeddedGarnet(server, port);
            }
            catch (GarnetException) when (attempt < FreePort.Attempts && !FreePort.IsFree(port))
            {
                server.Dispose();
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        server.Dispose();
        return ValueTask.CompletedTask;
    }

    private static GarnetServerOptions Options(int port) => new()
    {
        EndPoints = [new IPEndPoint(IPAddress.Loopback, port)],
        EnableLua = true,
        LuaOptions = new LuaOptions(),
        // Without it another client's commands come in between those of a script, which no Redis allows.
        LuaTransactionMode = true,
        // Past this size Garnet drops the oldest records without a word. It takes the memory only as it fills.
        LogMemorySize = "4g",
        QuietMode = true,
    };
}
