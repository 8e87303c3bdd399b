using System.Net.Sockets;

namespace RedisSession.Provider.Tests;

internal sealed class RedisUrlTests
{
    private static object?[][] TcpUrls =>
    [
        Tcp("redis://"), Tcp("redis://localhost"), Tcp("redis://localhost/"), Tcp("redis://localhost:"), Tcp("REDIS://localhost"),
        Tcp("redis://@localhost"), Tcp("redis://l%6Fcalhost"),
        Tcp("redis://:7000", port: 7000), Tcp("redis:///3", database: 3),
        Tcp("redis://redis.example.com:1/0", host: "redis.example.com", port: 1, database: 0),
        Tcp("redis://my_redis-1:65535/15", host: "my_redis-1", port: 65535, database: 15),
        Tcp("redis://10.0.0.1:7000", host: "10.0.0.1", port: 7000), Tcp("redis://[::1]", host: "::1"),
        Tcp("redis://[2001:db8::1]:7000/2", host: "2001:db8::1", port: 7000, database: 2),
        Tcp("rediss://[::1]:7000", host: "::1", port: 7000, tls: true), Tcp("rediss://localhost", tls: true),
        Tcp("RedisS://localhost:6380/1", port: 6380, database: 1, tls: true), Tcp("redis://me@localhost", user: "me"),
        Tcp("redis://:secret@localhost", password: "secret"),
        Tcp("redis://me:secret@localhost:7000/2", port: 7000, user: "me", password: "secret", database: 2),
        Tcp("rediss://me:secret@[::1]:7000/2", host: "::1", port: 7000, user: "me", password: "secret", database: 2, tls: true),
        Tcp("redis://me:se:cr:et@localhost", user: "me", password: "se:cr:et"), Tcp("redis://me:secret@", user: "me", password: "secret"),
        Tcp("redis://m%40e:%2F%3A%3f%23%5B%25%20@localhost", user: "m@e", password: "/:?#[% "),
        Tcp("redis://m%C3%A9:%F0%9F%98%80é😀@localhost", user: "mé", password: "😀é😀"),
        Tcp("redis://me:a+b%2Bc,d=e@localhost", user: "me", password: "a+b+c,d=e"),
        Tcp("redis://me:%2525@localhost", user: "me", password: "%25"), Tcp("redis://me:%00@localhost", user: "me", password: "\0"),
    ];

    private static object?[][] UnixUrls =>
    [
        Unix("unix:/run/redis.sock"), Unix("unix:///run/redis.sock"), Unix("UNIX:/run/redis.sock"),
        Unix("unix:/run/redis.sock?db=2", database: 2), Unix("unix:///run/redis.sock?db=0", database: 0),
        Unix("unix://:secret@/run/redis.sock", password: "secret"),
        Unix("unix://me:secret@/run/redis.sock?db=15", user: "me", password: "secret", database: 15),
        Unix("unix://me@/run/redis.sock", user: "me"), Unix("unix://m%40e:%2F@/run/redis.sock", user: "m@e", password: "/"),
        Unix("unix:/run/my%20redis%3F.sock", path: "/run/my redis?.sock"), Unix("unix:/run/a@b:c.sock", path: "/run/a@b:c.sock"),
        Unix("unix:/a", path: "/a"),
    ];

    private static object?[] Tcp(
        string url, string host = "localhost", int port = 6379, string? user = null, string? password = null, int? database = null,
        bool tls = false) => [url, host, port, user, password, database, tls];

    private static object?[] Unix(
        string url, string path = "/run/redis.sock", string? user = null, string? password = null, int? database = null) =>
        [url, path, user, password, database];

    [TestCaseSource(nameof(TcpUrls))]
    public void Url_names_a_server(string url, string host, int port, string? user, string? password, int? database, bool tls) =>
        Assert.That(Parts(ParseUrl(url)), Is.EqualTo((host, port, user, password, database, tls)));

    [TestCaseSource(nameof(UnixUrls))]
    public void Url_names_a_unix_socket(string url, string path, string? user, string? password, int? database)
    {
        var options = ParseUrl(url);
        Assert.That(options.EndPoints.Single(), Is.TypeOf<UnixDomainSocketEndPoint>());
        Assert.That(
            (options.EndPoints[0].ToString(), options.User, options.Password, options.DefaultDatabase, options.Ssl),
            Is.EqualTo((path, user, password, database, false)));
    }

    // In a cluster, which answers with numbers, a node would otherwise be known twice.
    [TestCase("redis://10.0.0.1:7000", "10.0.0.1:7000")]
    [TestCase("redis://[::1]:7000", "[::1]:7000")]
    [TestCase("redis://localhost:7000", "localhost:7000")]
    [TestCase("unix:/run/redis.sock", "!/run/redis.sock")]
    public void Server_is_the_same_in_both_syntaxes(string url, string configuration) =>
        Assert.That(RedisUrl.Parse(url).EndPoints, Is.EqualTo(ConfigurationOptions.Parse(configuration).EndPoints));

    // There I and i are two letters in any case.
    [Test]
    public void Scheme_is_read_in_any_case_on_a_turkish_server([Values("UNIX:/RUN/REDIS.SOCK", "REDIS://REDIS.EXAMPLE.COM")] string url)
    {
        using var culture = new CultureScope("tr-TR");
        Assert.That(ParseUrl(url).EndPoints, Has.Count.EqualTo(1));
    }

    [Test]
    public void StackExchange_syntax_is_no_url([Values(
        "localhost", "localhost:6379,password=x", "redis:6379", "rediss:6380,ssl=true", "localhost,password=redis://x", "://localhost",
        "[::1]:6379,name=a://b", "")] string configuration) => Assert.That(RedisUrl.IsUrl(configuration), Is.False);

    // All of the error: an inner exception would be logged too.
    [TestCaseSource(typeof(BadConfigurations), nameof(BadConfigurations.Urls))]
    public void Url_that_names_no_server_is_refused_for_its_reason_and_neither_the_url_nor_the_password_repeated(string url, string reason)
    {
        var error = Assert.Throws<FormatException>(() => RedisUrl.Parse(url))!;
        Assert.That(error.Message, Does.Contain(reason));
        Assert.That(error.ToString(), Does.Not.Contain(url).And.Not.Contain(BadConfigurations.Password), reason);
    }

    [TestCase("unix:", "absolute path"), TestCase("unix:/", "absolute path"), TestCase("unix://", "absolute path")]
    [TestCase("unix:?x=1", "only one parameter"), TestCase("redis:localhost", "redis://")]
    [TestCase("redis://:%zz@host", "In the password of")]
    [TestCase("redis://%zz:secret@host", "In the user of")]
    [TestCase("redis://%zz", "In the host of"), TestCase("unix:///tmp/%zz", "In the path of")]
    public void Refusal_says_which_part_is_wrong(string url, string reason) =>
        Assert.That(() => RedisUrl.Parse(url), Throws.TypeOf<FormatException>().With.Message.Contains(reason));

    private static ConfigurationOptions ParseUrl(string url)
    {
        Assert.That(RedisUrl.IsUrl(url), Is.True);
        return RedisUrl.Parse(url);
    }

    private static (string, int, string?, string?, int?, bool) Parts(ConfigurationOptions options)
    {
        var (host, port) = options.EndPoints.Single() switch
        {
            DnsEndPoint named => (named.Host, named.Port),
            IPEndPoint numbered => (numbered.Address.ToString(), numbered.Port),
            var other => throw new InvalidOperationException($"No TCP endpoint: {other}"),
        };
        return (host, port, options.User, options.Password, options.DefaultDatabase, options.Ssl);
    }
}
