using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>Finds out which primaries report expired keys: lets one of ours expire on each.</summary>
internal sealed class ExpiryProbe(IDatabase database, string keyPrefix, string instance)
{
    private static readonly TimeSpan TimeToLive = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    // Names to try for each primary, until one maps to it.
    private const int NamesForEach = 50;

    private readonly string _start = $"{SessionHashLayout.LifecycleKeyOf(keyPrefix)}:{instance}:";
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _awaited = new(StringComparer.Ordinal);

    /// <summary>The primaries that sent no report.</summary>
    /// <exception cref="RedisConnectionException">Not all of them are connected.</exception>
    public async Task<IReadOnlyList<string>> FindDeafAsync(CancellationToken cancellationToken)
    {
        var primaries = await Primaries.FindAsync(database.Multiplexer, cancellationToken).ConfigureAwait(false);
        var probes = KeysFor(primaries).Select(async probe =>
            (probe.Server, Reports: await ProbeAsync(probe.Key, cancellationToken).ConfigureAwait(false)));
        return [.. from probe in await Task.WhenAll(probes).ConfigureAwait(false) where !probe.Reports select probe.Server];
    }

    /// <summary>A key has expired.</summary>
    public void Heard(ReadOnlySpan<byte> key)
    {
        // Reports of other instances' keys arrive here too.
        if (!_awaited.IsEmpty && _awaited.TryRemove(Encoding.UTF8.GetString(key), out var awaited)) awaited.TrySetResult();
    }

    private async Task<bool> ProbeAsync(string key, CancellationToken cancellationToken)
    {
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _awaited[key] = heard;
        try
        {
            await database.StringSetAsync(key, RedisValue.EmptyString, TimeToLive, flags: CommandFlags.DemandMaster).ConfigureAwait(false);
            await Task.Delay(2 * TimeToLive, cancellationToken).ConfigureAwait(false);

            // The server checks its keys only now and then; asking for one makes it check that key.
            await database.KeyExistsAsync(key, CommandFlags.DemandMaster).ConfigureAwait(false);
            await heard.Task.WaitAsync(Patience, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            return heard.Task.IsCompletedSuccessfully;
        }
        finally
        {
            _awaited.TryRemove(key, out _);
        }
    }

    /// <summary>A key for each primary; if the prefix has a hash tag, only for those that can hold such keys.</summary>
    private IEnumerable<(string Server, string Key)> KeysFor(IReadOnlyList<IServer> primaries)
    {
        if (primaries is [{ ServerType: not ServerType.Cluster } only]) return [(only.EndPoint.ToString()!, _start)];

        var keys = new Dictionary<string, string>();
        for (int i = 0; i < NamesForEach * primaries.Count && keys.Count < primaries.Count; i++)
        {
            string key = _start + i.ToString(CultureInfo.InvariantCulture);
            keys.TryAdd(database.Multiplexer.GetServer(key, flags: CommandFlags.DemandMaster).EndPoint.ToString()!, key);
        }

        return keys.Select(entry => (entry.Key, entry.Value));
    }
}
