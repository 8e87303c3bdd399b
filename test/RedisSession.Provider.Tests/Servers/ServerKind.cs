using System.Diagnostics;
using System.Text.RegularExpressions;

namespace RedisSession.Provider.Tests;

/// <summary>A kind of server that the tests run against. Its name is what test names show.</summary>
/// <param name="Name">For example <c>garnet</c>, <c>redis-7.0.15</c> or <c>valkey-9.1.2</c>.</param>
/// <param name="Binary">The absolute path of the server's executable; null for the embedded server.</param>
/// <param name="Version">What the executable says of itself; null for the embedded server.</param>
internal sealed partial record ServerKind(string Name, string? Binary = null, Version? Version = null)
{
    /// <summary>Microsoft Garnet inside the test process: needs nothing installed, so it is always there.</summary>
    public static ServerKind Garnet { get; } = new("garnet");

    /// <summary>Whether it runs as a process of its own, which can be killed, paused and restarted.</summary>
    public bool IsProcess => Binary is not null;

    /// <summary>Whether single fields of a hash can expire.</summary>
    public bool HasFieldExpiry =>
        Version is null || Version >= (Name.StartsWith("valkey", StringComparison.Ordinal) ? new Version(9, 0) : new Version(7, 4));

    /// <summary>Asks the executable what it is: a path says nothing, and a <c>redis-server</c> may well be a Valkey.</summary>
    public static ServerKind FromBinary(string path)
    {
        var start = new ProcessStartInfo(path, "--version") { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();

        var match = VersionLine().Match(output);
        if (!match.Success) throw new InvalidOperationException($"'{path} --version' does not name a Redis-like server: {output}");
        var product = match.Groups["product"].Value.ToLowerInvariant();
        var version = match.Groups["version"].Value;
        return new ServerKind($"{product}-{version}", Path.GetFullPath(path), Version.Parse(version));
    }

    public override string ToString() => Name;

    [GeneratedRegex(@"^(?<product>\w+) server v=(?<version>\d+(\.\d+)+)")]
    private static partial Regex VersionLine();
}
