using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>Ours on one kind of server, with a key prefix of its own: what the pipeline tests start from.</summary>
internal sealed class OurStack(ServerKind kind, Pipeline pipeline = Pipeline.UseSession, string? keyPrefix = null)
{
    private readonly SessionStack _stack = new(kind.Name, kind) { Pipeline = pipeline };

    public ServerKind Server => kind;

    public string KeyPrefix { get; } = keyPrefix ?? SessionStack.NewKeyPrefix();

    public Task<TestApp> StartAsync(Action<RedisHashSessionOptions>? configure = null) =>
        StartAsync(options => configure?.Invoke(options), _ => { });

    /// <summary>The same beside other services.</summary>
    public Task<TestApp> StartAsync(Action<RedisHashSessionOptions> configure, Action<IServiceCollection> addMore) =>
        (_stack with { AddMore = addMore }).StartAsync(KeyPrefix, options => configure((RedisHashSessionOptions)options));

    public Task<SharedServer> ServerAsync() => TestServers.GetAsync(kind);

    public async Task<IDatabase> DatabaseAsync() => (await ServerAsync()).Admin.GetDatabase();

    public RedisKey KeyOf(string sessionId) => $"{KeyPrefix}sessions:{sessionId}";

    public RedisKey UserKeyOf(string user) => SessionHashLayout.UserKeyOf(KeyPrefix, user);

    /// <summary>The ids in the list of this user, behind the back of the applications.</summary>
    public async Task<string[]> UserListAsync(string user) =>
        [.. (await (await DatabaseAsync()).SortedSetRangeByRankAsync(UserKeyOf(user))).Select(id => (string)id!)];
}
