using System.Diagnostics;
using System.Text.RegularExpressions;

namespace RedisSession.Provider.Tests.Packaging;

/// <summary>A process of the application, at a port that it has chosen itself.</summary>
internal sealed partial class InstalledApp(Process process) : IAsyncDisposable
{
    public Uri Address { get; private set; } = null!;

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
        return await new InstalledApp(process).ThenAsync(async app =>
        {
            app.Address = new(await new ProcessOutput(process).FindAsync(Listening()));
            return app;
        });
    }

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    private static string Same(string variable) => $"{variable}={Environment.GetEnvironmentVariable(variable)}";

    [GeneratedRegex(@"Now listening on: (http://127\.0\.0\.1:\d+)")]
    private static partial Regex Listening();
}
