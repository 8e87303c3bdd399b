using System.Diagnostics;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging.Abstractions;

namespace RedisSession.Provider.Benchmarks;

/// <summary>One way in which the data of a session can come under another key.</summary>
/// <param name="name">As it is shown.</param>
/// <param name="renewing">The connection that moves it.</param>
/// <param name="bystander">Another one to the same server, whose PINGs wait meanwhile.</param>
internal sealed class RenewalWay(string name, IConnectionMultiplexer renewing, IConnectionMultiplexer bystander)
{
    private const string KeyPrefix = "app:";
    private const int BytesAtOnce = 4 * 1024 * 1024;

    private static readonly SessionExpiry Expiry = new(600_000, 0);

    private readonly SessionNames _names = new(
        Microsoft.Extensions.Options.Options.Create(new RedisHashSessionOptions { KeyPrefix = KeyPrefix }),
        new EphemeralDataProtectionProvider(),
        NullLogger<RedisHashSession>.Instance);

    public string Name => name;

    /// <summary>How long each of the two steps takes, where nobody else has written anything; and the longest PING meanwhile.</summary>
    public async Task<(double Copy, double End, double Longest)> TryAsync(int keys, int megabytes)
    {
        var database = renewing.GetDatabase();
        var renewal = new PendingRenewal(new DefaultHttpContext(), New(), New());
        await FillAsync(bystander.GetDatabase(), renewal.From.RedisKey, keys, megabytes);
        using var over = new CancellationTokenSource();
        var pinging = PingAsync(over.Token);
        var move = new SessionMove(database, renewal, Expiry);
        long start = Stopwatch.GetTimestamp();
        await move.CopyAsync(static () => RedisValue.Null, "ann");
        double copy = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        start = Stopwatch.GetTimestamp();
        await move.CarryOverAsync();
        double end = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        await over.CancelAsync();
        double longest = await pinging;
        foreach (var key in renewal.Keys) await bystander.GetDatabase().KeyDeleteAsync(key);
        return (copy, end, longest);

        SessionIdentity New() => _names.Identify(Guid.NewGuid().ToString(), isNew: false);
    }

    private async Task<double> PingAsync(CancellationToken over)
    {
        double longest = 0;
        var servers = bystander.GetServers();
        while (!over.IsCancellationRequested)
        {
            long start = Stopwatch.GetTimestamp();
            await Task.WhenAll(servers.Select(server => server.PingAsync()));
            longest = Math.Max(longest, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        return longest;
    }

    private static async Task FillAsync(IDatabase database, RedisKey key, int keys, int megabytes)
    {
        byte[] value = new byte[Math.Max(1, megabytes * 1024 * 1024 / keys)];
        new Random(1).NextBytes(value);
        await database.HashSetAsync(key, [new("@gen", "12345678"), new("@created", "1")]);
        foreach (int[] some in Enumerable.Range(0, keys).Chunk(Math.Max(1, BytesAtOnce / value.Length)))
            await database.HashSetAsync(key, [.. some.Select(i => new HashEntry($"key{i}", value))]);
        await database.KeyExpireAsync(key, TimeSpan.FromMinutes(10));
    }
}
