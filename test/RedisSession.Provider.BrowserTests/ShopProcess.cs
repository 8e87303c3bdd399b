using System.Diagnostics;
using System.Reflection;
using System.Text.RegularExpressions;

namespace RedisSession.Provider.BrowserTests;

/// <summary>The sample as it is run by everybody: a process of its own, in Development, with its embedded Redis server.</summary>
internal sealed partial class ShopProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly List<string> _output = [];

    // Data-protection keys and the like stay apart from those of whoever runs the tests.
    private readonly DirectoryInfo _home = System.IO.Directory.CreateTempSubdirectory("shop-");

    private ShopProcess(string environment)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(Directory, Metadata("ShopAssembly")), "--urls", "http://127.0.0.1:0"])
        {
            WorkingDirectory = Directory, // wwwroot and appsettings.json are found from here
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("SESSION_", StringComparison.Ordinal)).ToArray())
            start.Environment.Remove(name);
        start.Environment["ASPNETCORE_ENVIRONMENT"] = environment;
        start.Environment["HOME"] = _home.FullName;
        start.Environment.Remove("ASPNETCORE_URLS");
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Where the sample is in the working copy.</summary>
    public static string Directory => Metadata("ShopDirectory");

    public Uri Address { get; private set; } = null!;

    /// <summary>Its embedded server, as StackExchange.Redis takes it.</summary>
    public string Redis { get; private set; } = null!;

    public static async Task<ShopProcess> StartAsync(string environment = "Development")
    {
        var shop = new ShopProcess(environment);
        try
        {
            shop.Address = new(await shop.FindAsync(ListeningLine()));
            shop.Redis = await shop.FindAsync(RedisLine());
            return shop;
        }
        catch
        {
            await shop.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _home.Delete(recursive: true);
    }

    private async Task<string> FindAsync(Regex line)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            string output;
            lock (_output) output = string.Join('\n', _output);
            if (line.Match(output) is { Success: true } match) return match.Groups[1].Value;
            if (_process.HasExited || clock.Elapsed > Patience) throw new InvalidOperationException($"The shop does not start:\n{output}");
            await Task.Delay(50);
        }
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        lock (_output) _output.Add(line);
    }

    private static string Metadata(string key) =>
        typeof(ShopProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;

    [GeneratedRegex(@"Now listening on: (http://127\.0\.0\.1:\d+)")]
    private static partial Regex ListeningLine();

    [GeneratedRegex(@"\(Garnet\) at (127\.0\.0\.1:\d+)")]
    private static partial Regex RedisLine();
}
