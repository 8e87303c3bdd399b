namespace RedisSession.Provider.Benchmarks;

/// <summary>What Redis has done since its start, by its own word (INFO). NaN where it does not say.</summary>
/// <param name="CpuMicroseconds">User and system time together.</param>
/// <param name="BytesIn">From its clients.</param>
/// <param name="BytesOut">To them.</param>
internal readonly record struct RedisCounters(double CpuMicroseconds, double BytesIn, double BytesOut)
{
    /// <summary>Of all primaries of a cluster together.</summary>
    public static async Task<RedisCounters> ReadAsync(IConnectionMultiplexer connection)
    {
        var sum = default(RedisCounters);
        foreach (var server in connection.GetServers().Where(server => !server.IsReplica))
        {
            var info = (await server.InfoAsync()).SelectMany(section => section).DistinctBy(line => line.Key).ToDictionary();
            sum += new RedisCounters(
                1e6 * (Number(info, "used_cpu_user") + Number(info, "used_cpu_sys")),
                Number(info, "total_net_input_bytes"),
                Number(info, "total_net_output_bytes"));
        }

        return sum;
    }

    public static RedisCounters operator +(RedisCounters one, RedisCounters other) =>
        new(one.CpuMicroseconds + other.CpuMicroseconds, one.BytesIn + other.BytesIn, one.BytesOut + other.BytesOut);

    public static RedisCounters operator -(RedisCounters one, RedisCounters other) =>
        new(one.CpuMicroseconds - other.CpuMicroseconds, one.BytesIn - other.BytesIn, one.BytesOut - other.BytesOut);

    private static double Number(Dictionary<string, string> info, string name) =>
        info.TryGetValue(name, out string? text) ? double.Parse(text, CultureInfo.InvariantCulture) : double.NaN;
}
