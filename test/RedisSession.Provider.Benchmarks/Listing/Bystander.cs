using System.Diagnostics;
using System.Net.Sockets;

namespace RedisSession.Provider.Benchmarks;

/// <summary>
/// Another client of the same Redis, which asks for one key a thousand times a second and notes how long each answer takes. A process of
/// its own: it is Redis's time that counts, and not what the lister's process is busy with.
/// </summary>
internal static class Bystander
{
    public const string Name = "stand-by";

    private const string ResultText = "Waited, in microseconds: ";

    public static Command Command { get; } =
        new(Name, Summary: null, "Started by the other commands.", (options, _) =>
        {
            string redis = options.HostAndPort("--redis") ?? throw new UsageException("--redis is missing.");
            int seconds = options.Number("--seconds", fallback: 1, lowest: 1, highest: 3_600);
            options.ThrowIfAnyIsLeft();
            Console.WriteLine(ResultText + string.Join(' ', Ask(redis, TimeSpan.FromSeconds(seconds))));
            return Task.CompletedTask;
        });

    /// <summary>Runs one beside this process: what it waited for each answer, in microseconds and in order.</summary>
    /// <exception cref="BenchmarkException">It failed.</exception>
    public static async Task<double[]> RunAsync(string redis, int seconds, CancellationToken cancellationToken)
    {
        using var process = await Command.StartAsync(Name, "--redis", redis, "--seconds", $"{seconds}");
        try
        {
            string output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
            if (!output.StartsWith(ResultText, StringComparison.Ordinal)) throw new BenchmarkException($"The bystander failed: {output}");
            return [.. output[ResultText.Length..].Split(' ').Select(text => double.Parse(text, CultureInfo.InvariantCulture)).Order()];
        }
        finally
        {
            process.Kill();
        }
    }

    // Blocking, on one thread, without a client library: nothing of its own that could take time.
    private static List<double> Ask(string redis, TimeSpan duration)
    {
        string[] address = redis.Split(':');
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(address[0], int.Parse(address[1], CultureInfo.InvariantCulture));
        byte[] question = Encoding.ASCII.GetBytes("GET bystander\r\n");
        byte[] answer = new byte[64];
        var waits = new List<double>();
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < duration)
        {
            long sent = Stopwatch.GetTimestamp();
            socket.Send(question);
            socket.Receive(answer);
            waits.Add(Stopwatch.GetElapsedTime(sent).TotalMicroseconds);
            Thread.Sleep(1);
        }

        return waits;
    }
}
