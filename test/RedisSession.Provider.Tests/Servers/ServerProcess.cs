using System.Diagnostics;

namespace RedisSession.Provider.Tests;

/// <summary>A Redis or Valkey of a test's own, as a process on a free loopback port, without persistence.</summary>
internal sealed class ServerProcess : IRunningServer
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);

    private readonly ServerKind _kind;
    private readonly string _binary;
    private readonly string[] _extraArguments;
    private readonly string _directory;
    private Process? _process;

    private ServerProcess(ServerKind kind, string[] extraArguments)
    {
        _kind = kind;
        _binary = kind.Binary ?? throw new ArgumentException($"{kind} does not run as a process of its own.", nameof(kind));
        _extraArguments = extraArguments;
        _directory = Directory.CreateTempSubdirectory("redis-session-tests-").FullName;
    }

    public int Port { get; private set; }

    public int ProcessId => Running.Id;

    public string ConfigurationString => $"127.0.0.1:{Port}";

    private Process Running => _process ?? throw new InvalidOperationException("The server was never started.");

    /// <summary>Returns when the server answers. <paramref name="extraArguments"/> follow the usual ones and so win over them.</summary>
    public static async Task<ServerProcess> StartAsync(ServerKind kind, params string[] extraArguments)
    {
        var server = new ServerProcess(kind, extraArguments);
        try
        {
            for (var attempt = 0; attempt < FreePort.Attempts; attempt++)
            {
                server.Port = FreePort.Choose();
                if (await server.TryLaunchAsync())
                    return server;
            }

            throw new InvalidOperationException($"{kind} found every port taken that was free a moment before.");
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends the server as a power cut would (SIGKILL) and returns when it is gone.</summary>
    public void Kill()
    {
        Running.Kill();
        Running.WaitForExit();
    }

    /// <summary>Lets it answer no more while its port still accepts connections (SIGSTOP).</summary>
    public void Pause() => Signal("STOP");

    /// <summary>Ends a <see cref="Pause"/> (SIGCONT).</summary>
    public void Resume() => Signal("CONT");

    /// <summary>Kills it if it still runs, and returns when a new and empty one answers on the same port.</summary>
    public async Task RestartAsync()
    {
        Kill();
        Running.Dispose();
        var clock = Stopwatch.StartNew();
        while (!await TryLaunchAsync())
        {
            if (clock.Elapsed > StartTimeout)
                throw new TimeoutException($"{_kind} did not get its port {Port} back.");
            await Task.Delay(100);
        }
    }

    /// <summary>Whether the server answers PING within the time.</summary>
    public Task<bool> AnswersAsync(TimeSpan timeout) => RespPing.AnswersAsync(Port, timeout);

    public ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            Kill();
            _process.Dispose();
        }

        Directory.Delete(_directory, recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <summary>False where somebody else has taken the port.</summary>
    private async Task<bool> TryLaunchAsync()
    {
        _process = await ChildProcess.StartAsync(_binary, Arguments());
        var output = new ProcessOutput(_process);
        var clock = Stopwatch.StartNew();
        while (true)
        {
            if (_process.HasExited)
            {
                _process.WaitForExit(); // Only this overload also waits for the rest of the output.
                if (output.Contains("Address already in use"))
                    return false;
                throw new InvalidOperationException($"{_kind} ended with exit code {_process.ExitCode}:\n{output}");
            }

            // Its own word comes first: an answer alone might be that of a stranger who has the port.
            if (output.Contains("Ready to accept connections") && await AnswersAsync(TimeSpan.FromSeconds(1)))
                return true;
            if (clock.Elapsed > StartTimeout)
                throw new TimeoutException($"{_kind} did not answer on port {Port} within {StartTimeout}:\n{output}");
            await Task.Delay(20);
        }
    }

    private IEnumerable<string> Arguments() =>
    [
        "--port", $"{Port}",
        "--bind", "127.0.0.1",
        "--dir", _directory,
        "--save", "",
        "--appendonly", "no",
        .. DebugCommand(),
        .. _extraArguments,
    ];

    // Before 7.0 the DEBUG command was always on, and the server does not start with a setting that it does not know.
    private string[] DebugCommand() => _kind.Version?.Major >= 7 ? ["--enable-debug-command", "yes"] : [];

    // By the shell, because the numbers of these signals differ between systems while their names do not.
    private void Signal(string name)
    {
        using var shell = Process.Start("/bin/sh", ["-c", "kill -s \"$0\" \"$1\"", name, $"{ProcessId}"]);
        shell.WaitForExit();
        if (shell.ExitCode != 0)
            throw new InvalidOperationException($"SIG{name} did not reach process {ProcessId}.");
    }
}
