namespace RedisSession.Provider.Benchmarks;

/// <summary>Lets an application make sessions, and asks Redis what they take.</summary>
internal sealed class MemoryProbe : IAsyncDisposable
{
    private readonly RedisUnderTest _redis;
    private readonly ServerUnderTest _server;

    private MemoryProbe(RedisUnderTest redis, ServerUnderTest server) => (_redis, _server) = (redis, server);

    public static async Task<MemoryProbe> StartAsync(SessionVariant variant, RedisUnderTest redis, CancellationToken cancellationToken) =>
        new(redis, await ServerUnderTest.StartAsync(variant, redis.Address, cancellationToken));

    public async Task<SessionMemory> AskAsync(SessionShape shape, CancellationToken cancellationToken)
    {
        using var visitor = await Visitor.ArriveAsync(_server.Address, Workload.ReadOne(shape), cancellationToken);
        var key = await Node.KeysAsync(pattern: $"{_server.Prefix}*").SingleAsync(cancellationToken);
        var database = _redis.Connection.GetDatabase();

        // Without SAMPLES 0 the size of a large hash is an estimate from five fields.
        long bytes = (long)await database.ExecuteAsync("MEMORY", "USAGE", key, "SAMPLES", 0);
        string? encoding = await database.KeyEncodingAsync(key);
        await database.KeyDeleteAsync(key);
        return new(bytes, encoding ?? "?");
    }

    /// <summary>The greatest number up to <paramref name="highest"/> with which the session is compact; 0 where there is none.</summary>
    public async Task<int> GreatestCompactAsync(Func<int, SessionShape> shapeOf, int highest, CancellationToken cancellationToken)
    {
        int compact = 0, tooLarge = highest + 1;
        while (tooLarge - compact > 1)
        {
            int middle = (compact + tooLarge) / 2;
            if ((await AskAsync(shapeOf(middle), cancellationToken)).IsCompact) compact = middle;
            else tooLarge = middle;
        }

        return compact;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private IServer Node => _redis.Connection.GetServers()[0];
}
