using System.Text.RegularExpressions;
using CsCheck;

namespace RedisSession.Provider.Tests;

/// <summary>
/// Whatever a client sends and an application stores: ours does what stock does, keeps to the session's own hash, and logs none of it. The
/// environment variable <c>SESSION_INPUTS</c> says how many inputs; a failure prints a seed that repeats it.
/// </summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed partial class BadInputTests(ServerKind kind) : OwningFixture
{
    private static readonly long Inputs = long.TryParse(Environment.GetEnvironmentVariable("SESSION_INPUTS"), out long count) ? count : 500;

    private readonly string _keyPrefix = SessionStack.NewKeyPrefix();
    private InProcessPipeline _stock = null!;
    private InProcessPipeline _ours = null!;

    // Text that hurts, among any other: what protocols, paths, formats, logs and scripts give a meaning to.
    private static readonly Gen<string> Hostile = Gen.OneOf(
        Gen.String,
        Gen.Char["\r\n\0\t\"'\\;,=%*{}[]@$:/<> "].Array[0, 40].Select(characters => new string(characters)),
        Gen.OneOf(
            Gen.Const("*\r\n$-1\r\n"), Gen.Const("{0}{Message}%n%s"), Gen.Const("../../etc"), Gen.Const("'); redis.call('FLUSHALL') --"),
            Gen.Const("@gen"), Gen.Const("\uD800"), Gen.Const("\uFFFE\uFEFF"), Gen.Const(new string('x', 70_000))));

    private static readonly Gen<byte[]> Values = Gen.OneOf(Gen.Byte.Array[0, 200], Hostile.Select(text => Encoding.UTF8.GetBytes(text)));

    [OneTimeSetUp]
    public async Task Start()
    {
        var server = await TestServers.GetAsync(kind);

        // Many inputs fill memory: sessions are short, and the cache in memory must not drop any before.
        var idle = TimeSpan.FromSeconds(10);
        _stock = Owned.Add(new InProcessPipeline(services => services
            .AddDistributedMemoryCache(cache => cache.SizeLimit = 4L << 30)
            .AddSession(options => options.IdleTimeout = idle)));
        _ours = Owned.Add(new InProcessPipeline(services => services.AddRedisHashSession(options =>
            (options.Configuration, options.KeyPrefix, options.IdleTimeout) = (server.ConfigurationString, _keyPrefix, idle))));
    }

    [Test]
    public async Task Any_cookie_gets_a_session_that_works_and_reaches_nothing_else()
    {
        // Among them cookies that are protected as they should be, of keys that are none.
        var cookies = Gen.OneOf(
            Hostile,
            Hostile.Select(InProcessPipeline.CookieOf),
            Gen.Char['0', 'z'].Array[36].Select(characters => new string(characters)).Select(InProcessPipeline.CookieOf));
        await cookies.SampleAsync(
            async cookie =>
            {
                string? read = null;
                async Task Use(ISession session)
                {
                    await session.LoadAsync();
                    session.SetString("key", "mine");
                    read = session.GetString("key");
                }

                var stock = await _stock.RunAsync(cookie, Use);
                var ours = await _ours.RunAsync(cookie, Use);
                Require(ours?.GetType() == stock?.GetType(), $"ours threw {ours}, stock {stock}");
                Require(ours is not null || read == "mine", "its own write is not there");
            },
            iter: Inputs,
            threads: 4);
        await RequireOnlySessionsAsync();
    }

    [Test]
    public async Task Any_key_and_value_is_kept_as_stock_keeps_it()
    {
        await Gen.Select(Hostile, Values).Array[1, 5].SampleAsync(
            async pairs =>
            {
                string cookie = InProcessPipeline.CookieOf(Guid.NewGuid().ToString());
                string stock = await StoreAndReadAsync(_stock, cookie, pairs);
                string ours = await StoreAndReadAsync(_ours, cookie, pairs);
                Require(ours == stock, $"ours: {ours}\nstock: {stock}");
            },
            iter: Inputs,
            threads: 4);
        await RequireOnlySessionsAsync();
    }

    [Test]
    public async Task No_value_key_or_cookie_shows_in_the_log()
    {
        const string Secret = "4-secret-that-must-not-show";
        string sessionKey = Guid.NewGuid().ToString();
        string cookie = InProcessPipeline.CookieOf(sessionKey);
        await _ours.RunAsync(cookie, async session =>
        {
            session.SetString("a", Secret);
            await session.SetAsync("b", Encoding.UTF8.GetBytes(Secret));
            await session.ReadAsync(["a", "b"]);
        });
        await _ours.RunAsync(cookie + Secret, session => session.LoadAsync());
        await _ours.RunAsync(cookie, async session =>
        {
            await session.LoadAsync();
            session.SetString("c", Secret + "{0}\r\nforged line");
        });

        Assert.That(_ours.Logs.All, Is.Not.Empty);
        foreach (var entry in _ours.Logs.All.Where(entry => entry.Category.StartsWith("RedisSession", StringComparison.Ordinal)))
            Assert.That(entry.ToString(), Does.Not.Contain(Secret).And.Not.Contain(sessionKey).And.Not.Contain(cookie));
    }

    private static async Task<string> StoreAndReadAsync(InProcessPipeline pipeline, string cookie, (string Key, byte[] Value)[] pairs)
    {
        var answer = new StringBuilder();
        var thrown = await pipeline.RunAsync(cookie, session =>
        {
            foreach (var (key, value) in pairs)
            {
                try
                {
                    session.Set(key, value);
                }
                catch (Exception error)
                {
                    answer.Append(error.GetType().Name).Append(';');
                }
            }

            return Task.CompletedTask;
        });
        thrown ??= await pipeline.RunAsync(cookie, session =>
        {
            foreach (var (key, _) in pairs)
                answer.Append(session.TryGetValue(key, out var value) ? Convert.ToHexString(value) : "none").Append(';');
            return Task.CompletedTask;
        });
        return answer.Append(thrown?.GetType().Name).ToString();
    }

    private async Task RequireOnlySessionsAsync()
    {
        var admin = (await TestServers.GetAsync(kind)).Admin;
        await foreach (var key in admin.GetServers().Single().KeysAsync(pattern: _keyPrefix + "*"))
            Assert.That(key.ToString()[_keyPrefix.Length..], Does.Match(SessionKeyName()));
    }

    private static void Require(bool condition, string what)
    {
        if (!condition) throw new InvalidOperationException(what);
    }

    [GeneratedRegex("^sessions:[A-Za-z0-9_-]{43}$")]
    private static partial Regex SessionKeyName();
}
