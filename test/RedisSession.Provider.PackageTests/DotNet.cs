namespace RedisSession.Provider.Tests.Packaging;

/// <summary>Runs the SDK, as whoever builds an application does.</summary>
internal static class DotNet
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15); // beside other tests on few cores

    // No process of a build outlives it; and advisories that are published after a commit do not break it.
    private static readonly string[] Always = ["-nodeReuse:false", "-p:UseSharedCompilation=false", "-p:NuGetAudit=false"];

    /// <summary>A build of any kind. It has no warnings: they fail, as errors do, and from whichever assembly they come.</summary>
    public static async Task BuildAsync(params string[] arguments)
    {
        string output = await RunAsync([.. arguments, .. Always]);
        if (output.Contains("warning ", StringComparison.Ordinal)) throw Failed(arguments, "warned", output);
    }

    /// <summary>Returns what it said.</summary>
    public static async Task<string> RunAsync(params string[] arguments)
    {
        using var process = await ChildProcess.StartAsync("dotnet", arguments);
        var output = new ProcessOutput(process);
        using var timeout = new CancellationTokenSource(Patience);
        try
        {
            await process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw Failed(arguments, $"took longer than {Patience}", output);
        }

        return process.ExitCode == 0 ? output.ToString() : throw Failed(arguments, $"ended with {process.ExitCode}", output);
    }

    private static InvalidOperationException Failed(string[] arguments, string how, object output) =>
        new($"dotnet {string.Join(' ', arguments)} {how}:\n{output}");
}
