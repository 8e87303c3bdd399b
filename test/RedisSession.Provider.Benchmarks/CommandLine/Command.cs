using System.Diagnostics;
using System.Reflection;

namespace RedisSession.Provider.Benchmarks;

/// <summary>Something this program can do.</summary>
/// <param name="Name">The first argument that asks for it.</param>
/// <param name="Summary">One line for the list of commands; null for a command that is not for people.</param>
/// <param name="Help">What it measures, and its options.</param>
/// <param name="RunAsync">Does it.</param>
internal sealed record Command(string Name, string? Summary, string Help, Func<Options, CancellationToken, Task> RunAsync)
{
    /// <summary>What stands before the name of a command.</summary>
    public const string Program = "dotnet run -c Release --project test/RedisSession.Provider.Benchmarks --";

    /// <summary>Starts this program once more, beside itself.</summary>
    public static Task<Process> StartAsync(params string[] arguments)
    {
        string self = Environment.ProcessPath!;
        bool isHost = Path.GetFileNameWithoutExtension(self) == "dotnet"; // where it runs as "dotnet the.dll"
        return ChildProcess.StartAsync(self, isHost ? [Assembly.GetExecutingAssembly().Location, .. arguments] : arguments);
    }
}
