using System.Collections.Concurrent;
using System.Diagnostics;

namespace RedisSession.Provider.Tests;

/// <summary>Starts processes that do not outlive this one, not even when it is killed.</summary>
internal static class ChildProcess
{
    // setpriv lets the kernel kill the child when its parent dies. It comes with every Linux; elsewhere a killed test run
    // leaves its servers behind.
    private static readonly string? Setpriv = OperatingSystem.IsLinux() ? Executables.FindOnPath("setpriv") : null;

    // To the kernel the parent is the thread that started the child, not its process: a pool thread that retires would
    // take the servers along. Hence one thread that stays.
    private static readonly Lazy<BlockingCollection<Action>> Starter = new(StartStarter);

    /// <summary>The process has the id of <paramref name="executable"/> itself, with standard output and error redirected.</summary>
    public static Task<Process> StartAsync(string executable, IEnumerable<string> arguments)
    {
        string[] command = Setpriv is null ? [executable, .. arguments] : [Setpriv, "--pdeathsig", "KILL", executable, .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        Starter.Value.Add(() =>
        {
            try
            {
                started.SetResult(Process.Start(start)!);
            }
            catch (Exception exception)
            {
                started.SetException(exception);
            }
        });
        return started.Task;
    }

    /// <summary>By the shell, because the numbers of signals differ between systems while their names do not.</summary>
    public static void Signal(this Process process, string name)
    {
        using var shell = Process.Start("/bin/sh", ["-c", "kill -s \"$0\" \"$1\"", name, $"{process.Id}"]);
        shell.WaitForExit();
        if (shell.ExitCode != 0) throw new InvalidOperationException($"SIG{name} did not reach process {process.Id}.");
    }

    private static BlockingCollection<Action> StartStarter()
    {
        var work = new BlockingCollection<Action>();
        new Thread(StartAll) { IsBackground = true, Name = "Child process starter" }.Start();
        return work;

        void StartAll()
        {
            foreach (var start in work.GetConsumingEnumerable()) start();
        }
    }
}
