using System.Diagnostics;

namespace RedisSession.Provider.Tests;

/// <summary>
/// A Redis or Valkey of a test's own, as a process on a free loopback port, without persistence; also as a sentinel.
/// </summary>
internal sealed class ServerProcess : IRunningServer
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);

    private readonly ServerKind _kind;
    private readonly string _binary;
    private readonly string? _sentinelSettings;
    private readonly string _directory;
    private string[] _extraArguments = [];
    private Process? _process;
    private bool _isToLoad;

    private ServerProcess(ServerKind kind, string? sentinelSettings = null)
    {
        _kind = kind;
        _binary = kind.Binary ?? throw new ArgumentException($"{kind} does not run as a process of its own.", nameof(kind));
        _sentinelSettings = sentinelSettings;
        _directory = Directory.CreateTempSubdirectory("redis-session-tests-").FullName;
    }

    public int Port { get; private set; }

    public int ProcessId => Running.Id;

    public bool IsRunning => !Running.HasExited;

    public string ConfigurationString => $"127.0.0.1:{Port}";

    private string ReadyWord => _sentinelSettings is null ? "Ready to accept connections" : "Sentinel ID is";

    private Process Running => _process ?? throw new InvalidOperationException("The server was never started.");

    /// <summary>Returns when the server answers. <paramref name="extraArguments"/> follow the usual ones and so win over them.</summary>
    public static Task<ServerProcess> StartAsync(ServerKind kind, params string[] extraArguments) => StartAsync(kind, () => extraArguments);

    /// <summary>The same with arguments that are made anew for each attempt, because a port among them may be taken as well.</summary>
    public static Task<ServerProcess> StartAsync(ServerKind kind, Func<string[]> extraArguments) =>
        new ServerProcess(kind).StartOnFreePortAsync(extraArguments);

    /// <summary>Starts a sentinel. <paramref name="settings"/> are lines of its configuration file: <c>sentinel monitor …</c></summary>
    public static Task<ServerProcess> StartSentinelAsync(ServerKind kind, string settings) =>
        new ServerProcess(kind, settings).StartOnFreePortAsync(() => []);

    /// <summary>Ends the server as a power cut would (SIGKILL) and returns when it is gone.</summary>
    public void Kill()
    {
        Running.Kill();
        Running.WaitForExit();
    }

    /// <summary>Lets it answer no more while its port still accepts connections (SIGSTOP).</summary>
    public void Pause() => Running.Signal("STOP");

    /// <summary>Ends a <see cref="Pause"/> (SIGCONT).</summary>
    public void Resume() => Running.Signal("CONT");

    /// <summary>A <see cref="Pause"/> that ends with the scope.</summary>
    public IDisposable Paused()
    {
        Pause();
        return new PauseScope(this);
    }

    /// <summary>Kills it if it still runs, and returns when a new and empty one answers on the same port.</summary>
    public Task RestartAsync()
    {
        _isToLoad = false;
        return RelaunchAsync();
    }

    /// <summary>
    /// Kills it, and returns when one with the same data answers on the same port that it still loads that (LOADING). It does so until
    /// <see cref="FinishLoadingAsync"/>.
    /// </summary>
    public async Task RestartLoadingAsync()
    {
        // A server that loads answers others after each so many bytes: here after each of these.
        await AskAsync("DEBUG", "POPULATE", "5000", "filler", "2000");
        await AskAsync("SAVE");
        _isToLoad = true;
        await RelaunchAsync();
    }

    public Task FinishLoadingAsync() => AskAsync("CONFIG", "SET", "key-load-delay", "0");

    private async Task RelaunchAsync()
    {
        Kill();
        Running.Dispose();
        var clock = Stopwatch.StartNew();
        while (!await TryLaunchAsync())
        {
            if (clock.Elapsed > StartTimeout) throw new TimeoutException($"{_kind} did not get its port {Port} back.");
            await Task.Delay(100);
        }
    }

    /// <summary>Asks it one thing, on a connection of its own.</summary>
    public Task<RespReply> AskAsync(params string[] command) => Resp.AskAsync(Port, command);

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

    private Task<ServerProcess> StartOnFreePortAsync(Func<string[]> extraArguments) => this.ThenAsync(async _ =>
    {
        for (var attempt = 0; attempt < FreePort.Attempts; attempt++)
        {
            Port = FreePort.Choose();
            _extraArguments = extraArguments();
            if (await TryLaunchAsync()) return this;
        }

        throw new InvalidOperationException($"{_kind} found every port taken that was free a moment before.");
    });

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
                if (output.Contains("Address already in use")) return false;
                throw new InvalidOperationException($"{_kind} ended with exit code {_process.ExitCode}:\n{output}");
            }

            // Its own word comes first: an answer alone might be that of a stranger who has the port.
            if ((_isToLoad || output.Contains(ReadyWord)) && await AnswersAsync()) return true;
            if (clock.Elapsed > StartTimeout)
                throw new TimeoutException($"{_kind} did not answer on port {Port} within {StartTimeout}:\n{output}");
            await Task.Delay(20);
        }
    }

    // An answer that asks for a password is one, too.
    private async Task<bool> AnswersAsync()
    {
        try
        {
            return (await AskAsync("PING")).Text == "PONG" && !_isToLoad;
        }
        catch (Exception error) when (error is IOException or RespErrorException)
        {
            return error.Message.StartsWith(_isToLoad ? "LOADING" : "NOAUTH", StringComparison.Ordinal);
        }
    }

    private string[] Arguments() => _sentinelSettings is not null ? [SentinelFile(), "--sentinel"] :
    [
        "--port", $"{Port}", "--bind", "127.0.0.1", "--dir", _directory, "--save", "", "--appendonly", "no",
        .. DebugCommand(), .. LoadSlowly(), .. _extraArguments,
    ];

    // Microseconds for each key.
    private string[] LoadSlowly() =>
        _isToLoad ? ["--key-load-delay", "20000", "--loading-process-events-interval-bytes", "1024"] : [];

    // A sentinel keeps what it learns in its configuration file; one that is restarted goes on with that.
    private string SentinelFile()
    {
        var file = Path.Combine(_directory, $"sentinel-{Port}.conf");
        if (!File.Exists(file))
            File.WriteAllText(file, $"port {Port}\nbind 127.0.0.1\ndir {_directory}\n{_sentinelSettings}\n");
        return file;
    }

    // Before 7.0 the DEBUG command was always on, and the server does not start with a setting that it does not know.
    private string[] DebugCommand() => _kind.Version?.Major >= 7 ? ["--enable-debug-command", "yes"] : [];

    private sealed class PauseScope(ServerProcess server) : IDisposable
    {
        public void Dispose() => server.Resume();
    }
}
