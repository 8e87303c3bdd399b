using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;

namespace RedisSession.Provider.Tests;

/// <summary>
/// The switch as a team makes it: an application on Microsoft's packages alone, with a thousand sessions, is stopped, and started with the
/// one line changed. Over HTTP from end to end, with the data-protection keys in a directory, as an application has them.
/// </summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
[NonParallelizable]
internal sealed class MigrationTests(ServerKind kind)
{
    private const int Sessions = 1_000;

    [Test]
    public async Task A_thousand_sessions_are_read_back_through_their_cookies([Values] RedisSessionMode mode)
    {
        string redis = (await TestServers.GetAsync(kind)).ConfigurationString;
        string instanceName = CacheStack.NewInstanceName(), keyPrefix = SessionStack.NewKeyPrefix();
        var keys = Directory.CreateTempSubdirectory("migration-keys-");
        try
        {
            var visitors = await FillAsync(redis, instanceName, keys);
            await using var app = await StartAsync(keys, services => services.AddRedisHashSession(options =>
            {
                (options.Configuration, options.KeyPrefix, options.Mode) = (redis, keyPrefix, mode);
                options.TakeOverSessions(instanceName);
            }));
            string[] cookies = [.. visitors.Select(CookieOf)];
            await ForAllAsync(visitors, async (client, i) =>
            {
                string expected = string.Create(
                    CultureInfo.InvariantCulture, $"{i} {i} visitor {i} visitor {i} {Convert.ToHexString(BytesOf(i))} True");
                Assert.That(await GetAsync(client, app, "/read"), Is.EqualTo(expected));
            });

            // And once more, from the hashes, with what they have set since.
            await ForAllAsync(visitors, (client, i) => GetAsync(client, app, $"/rename?name=renamed+{i}"));
            await ForAllAsync(visitors, async (client, i) => Assert.That(await GetAsync(client, app, "/read"), Does.Contain($"renamed {i}")));
            Assert.That(visitors.Select(CookieOf), Is.EqualTo(cookies), "nobody got another cookie");
        }
        finally
        {
            keys.Delete(recursive: true);
        }
    }

    private static async Task<IReadOnlyList<CookieContainer>> FillAsync(string redis, string instanceName, DirectoryInfo keys)
    {
        await using var app = await StartAsync(keys, services =>
        {
            services.AddStackExchangeRedisCache(options => (options.Configuration, options.InstanceName) = (redis, instanceName));
            services.AddSession();
        });
        var visitors = Enumerable.Range(0, Sessions).Select(_ => new CookieContainer()).ToArray();
        await ForAllAsync(visitors, (client, i) => GetAsync(client, app, $"/fill?i={i}"));
        await app.StopAsync();
        return visitors;
    }

    /// <summary>The application: the same before and after, but for how its sessions are added.</summary>
    private static async Task<WebApplication> StartAsync(DirectoryInfo keys, Action<IServiceCollection> addSession)
    {
        var builder = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddDataProtection().SetApplicationName("shop").PersistKeysToFileSystem(keys);
        addSession(builder.Services);
        var app = builder.Build();
        app.UseSession();
        app.MapGet("/fill", (HttpContext context, int i) => ChangeAsync(context, session =>
        {
            session.SetInt32("number", i);
            session.SetString("name", $"visitor {i}");
            session.Set("bytes", BytesOf(i));
            session.SetString("member", "True");
        }));
        app.MapGet("/rename", (HttpContext context, string name) => ChangeAsync(context, session => session.SetString("name", name)));
        app.MapGet("/read", async (HttpContext context) =>
        {
            var session = context.Session;
            await session.LoadAsync();
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{session.GetInt32("number")} {session.GetInt("number")} {session.GetString("name")} {session.GetStr("name")} "
                + $"{Convert.ToHexString(session.Get("bytes")!)} {session.GetBool("member")}");
        });
        await app.StartAsync();
        return app;
    }

    private static async Task<string> ChangeAsync(HttpContext context, Action<ISession> change)
    {
        await context.Session.LoadAsync();
        change(context.Session);
        return "";
    }

    private static string CookieOf(CookieContainer visitor) => visitor.GetAllCookies().Single().Value;

    private static byte[] BytesOf(int i) => [.. Enumerable.Range(0, i % 50).Select(n => (byte)(n * i))];

    private static async Task<string> GetAsync(HttpClient client, WebApplication app, string path) =>
        await client.GetStringAsync(new Uri(app.Urls.First() + path));

    private static Task ForAllAsync(IReadOnlyList<CookieContainer> visitors, Func<HttpClient, int, Task> visit) =>
        Parallel.ForEachAsync(Enumerable.Range(0, visitors.Count), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) =>
        {
            // A client for each request, so that a thousand visitors do not hold a thousand connections.
            using var handler = new HttpClientHandler { CookieContainer = visitors[i] };
            using var client = new HttpClient(handler);
            await visit(client, i);
        });
}
