namespace RedisSession.Provider.Benchmarks;

/// <summary>The sessions in Redis of a server that is measured: more of them than anyone could visit.</summary>
internal sealed class SessionFill(RedisUnderTest redis, ServerUnderTest server)
{
    private const int Batch = 5_000;

    private static readonly TimeSpan Expiry = TimeSpan.FromHours(1);

    /// <summary>Copies one of those that the server has made until there are <paramref name="count"/> more.</summary>
    public async Task AddAsync(int count, CancellationToken cancellationToken)
    {
        var database = redis.Connection.GetDatabase();
        var pattern = await KeysAsync().FirstAsync(cancellationToken);
        byte[] session = await database.KeyDumpAsync(pattern) ?? throw new BenchmarkException("The session is gone that was to be copied.");
        for (int done = 0; done < count; done += Batch)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await Task.WhenAll(Enumerable.Range(done, Math.Min(Batch, count - done))
                .Select(i => database.KeyRestoreAsync($"{server.Prefix}fill:{i:D36}", session, Expiry)));
        }
    }

    /// <summary>To the end, whoever interrupts: a named Redis is left as it was found.</summary>
    public async Task RemoveAllAsync()
    {
        var database = redis.Connection.GetDatabase();
        await foreach (var keys in KeysAsync().Chunk(Batch))
            await Task.WhenAll(keys.Select(key => database.KeyDeleteAsync(key))); // in a cluster they are in many slots
    }

    private IAsyncEnumerable<RedisKey> KeysAsync() => redis.Connection.GetServers()
        .Where(node => !node.IsReplica)
        .ToAsyncEnumerable()
        .SelectMany(node => node.KeysAsync(pattern: $"{server.Prefix}*", pageSize: Batch));
}
