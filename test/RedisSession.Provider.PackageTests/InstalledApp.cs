using System.Diagnostics;
using System.Text.RegularExpressions;

namespace RedisSession.Provider.Tests.Packaging;

/// <summary>A process of the application, at a port that it has chosen itself.</summary>
internal sealed partial class InstalledApp : IAsyncDisposable
{
    private readonly Process _process;

    private InstalledApp(Process process, Uri address)
    {
        _process = process;
        Address = address;
    }

    public Uri Address { get; }

    /// <param name="build">How it was built.</param>
    /// <param name="home">Where it keeps its data-protection keys.</param>
    /// <param name="settings">Its command line.</param>
    public static async Task<InstalledApp> StartAsync(AppBuild build, string home, params string[] settings)
    {
        // Of this process's environment it has nothing but what finds the runtime: settings of sessions may be there, too.
        string[] environment = [Same("PATH"), Same("DOTNET_ROOT"), $"HOME={home}"];
        var process = await ChildProcess.StartAsync(
            Executables.FindOnPath("env")!,
            ["-i", .. environment, .. build.Command, "--urls", "http://127.0.0.1:0", "--contentRoot", home, .. settings]);
        var output = new ProcessOutput(process);
        try
        {
            await Until.TrueAsync("the application listens", () => process.HasExited
                ? throw new InvalidOperationException($"It has ended:\n{output}")
                : Task.FromResult(Listening().IsMatch($"{output}")));
            return new InstalledApp(process, new Uri(Listening().Match($"{output}").Groups["address"].Value));
        }
        catch
        {
            process.Kill();
            process.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static string Same(string variable) => $"{variable}={Environment.GetEnvironmentVariable(variable)}";

    [GeneratedRegex(@"Now listening on: (?<address>http://127\.0\.0\.1:\d+)")]
    private static partial Regex Listening();
}
