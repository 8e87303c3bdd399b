using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using RedisSession.Provider.Dashboard;
using StackExchange.Redis;

namespace RedisSession.Provider.BrowserTests;

/// <summary>The sessions page alone, over sessions and a past that a test makes up, in a server that is running anyway.</summary>
internal sealed class DashboardHost : IAsyncDisposable
{
    /// <summary>That of the sessions here.</summary>
    public static readonly TimeSpan IdleTimeout = TimeSpan.FromMinutes(20);

    private readonly string _keyPrefix = $"{Guid.NewGuid():N}:";
    private readonly WebApplication _app;
    private readonly ConnectionMultiplexer _redis;

    private DashboardHost(string redis, ConnectionMultiplexer connection)
    {
        _redis = connection;
        var builder = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false", "--environment=Development"]);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddRedisHashSession(options =>
            (options.Configuration, options.KeyPrefix, options.IdleTimeout) = (redis, _keyPrefix, IdleTimeout));
        builder.Services.AddRedisSessionsDashboard(options => options.CountInterval = Timeout.InfiniteTimeSpan);
        _app = builder.Build();
        _app.MapRedisSessions("/sessions");
    }

    public string Address => $"{_app.Urls.First()}/sessions";

    public static async Task<DashboardHost> StartAsync(string redis)
    {
        var host = new DashboardHost(redis, await ConnectionMultiplexer.ConnectAsync(redis));
        await host._app.StartAsync();
        return host;
    }

    /// <summary>Makes a session that was begun and last used so long ago; answers its id.</summary>
    public async Task<string> AddAsync(int number, string? user, TimeSpan age, TimeSpan idle, params HashEntry[] keys)
    {
        string id = Base64Url.EncodeToString(SHA256.HashData(BitConverter.GetBytes(number)));
        var database = _redis.GetDatabase();
        string key = $"{_keyPrefix}sessions:{id}";
        long created = (DateTimeOffset.UtcNow - age).ToUnixTimeMilliseconds();
        await database.HashSetAsync(key, [new("@gen", "generati"), new("@created", created), .. keys]);
        await database.KeyExpireAsync(key, IdleTimeout - idle);
        if (user is null) return id;
        await database.HashSetAsync(key, "@user", user);
        string digest = Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(user)));
        await database.SortedSetAddAsync($"{_keyPrefix}users:{digest}", id, double.MaxValue);
        return id;
    }

    /// <summary>A key of that session that expires by itself.</summary>
    public Task ExpireAsync(string id, string key, TimeSpan left) =>
        _redis.GetDatabase().HashFieldExpireAsync($"{_keyPrefix}sessions:{id}", [key], left);

    public void Counted(DateTimeOffset at, long count) => _app.Services.GetRequiredService<SessionCounts>().Add(new(at, count));

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await _redis.DisposeAsync();
    }
}
