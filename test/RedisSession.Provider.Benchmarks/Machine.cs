using System.Reflection;
using System.Runtime.InteropServices;

namespace RedisSession.Provider.Benchmarks;

/// <summary>What a number is worth nothing without.</summary>
internal static class Machine
{
    public static string Description { get; } = string.Join(
        " · ",
        $"{Environment.ProcessorCount} cores",
        $"{RuntimeInformation.OSDescription} {RuntimeInformation.OSArchitecture}",
        RuntimeInformation.FrameworkDescription,
        $"StackExchange.Redis {ClientVersion()}" + (IsDebug ? " · DEBUG BUILD" : ""));

#if DEBUG
    private const bool IsDebug = true;
#else
    private const bool IsDebug = false;
#endif

    private static string ClientVersion()
    {
        var assembly = typeof(ConnectionMultiplexer).Assembly;
        string? version = assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        return version?.Split('+')[0] ?? $"{assembly.GetName().Version}";
    }
}
