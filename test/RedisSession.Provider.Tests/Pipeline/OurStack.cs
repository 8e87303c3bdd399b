namespace RedisSession.Provider.Tests;

/// <summary>Ours on one kind of server, with a key prefix of its own: what the pipeline tests start from.</summary>
internal sealed class OurStack(ServerKind kind, Pipeline pipeline = Pipeline.UseSession, string? keyPrefix = null)
{
    private readonly SessionStack _stack = new(kind.Name, kind) { Pipeline = pipeline };

    public ServerKind Server => kind;

    public Pipeline Pipeline => _stack.Pipeline;

    public string KeyPrefix { get; } = keyPrefix ?? SessionStack.NewKeyPrefix();

    /// <summary>Starts an application, with other services too, and with a pipeline of its own where one is given.</summary>
    public Task<TestApp> StartAsync(
        Action<RedisHashSessionOptions>? configure = null, Action<IServiceCollection>? addMore = null, Action<IApplicationBuilder>? use = null) =>
        (_stack with { AddMore = addMore, Use = use }).StartAsync(KeyPrefix, options => configure?.Invoke((RedisHashSessionOptions)options));

    public Task<SharedServer> ServerAsync() => TestServers.GetAsync(kind);

    public async Task<IDatabase> DatabaseAsync() => (await ServerAsync()).Admin.GetDatabase();

    public RedisKey KeyOf(string sessionId) => $"{KeyPrefix}sessions:{sessionId}";

    public RedisKey UserKeyOf(string user) => SessionHashLayout.UserKeyOf(KeyPrefix, user);

    /// <summary>The ids in the list of this user, behind the back of the applications.</summary>
    public async Task<string[]> UserListAsync(string user) =>
        [.. (await (await DatabaseAsync()).SortedSetRangeByRankAsync(UserKeyOf(user))).Select(id => (string)id!)];

    /// <summary>Puts something under the key of a session that is no hash: Redis refuses to write it (WRONGTYPE).</summary>
    public async Task MakeUnwritableAsync(string sessionId) =>
        await (await DatabaseAsync()).StringSetAsync(KeyOf(sessionId), "no hash", TimeSpan.FromMinutes(5));
}
