using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

internal sealed class RedisUrlTests
{
    // URL, host, port, user, password, database, TLS
    private static readonly object?[][] TcpUrls =
    [
        ["redis://", "localhost", 6379, null, null, null, false],
        ["redis://localhost", "localhost", 6379, null, null, null, false],
        ["redis://localhost/", "localhost", 6379, null, null, null, false],
        ["redis://localhost:", "localhost", 6379, null, null, null, false],
        ["redis://:7000", "localhost", 7000, null, null, null, false],
        ["redis:///3", "localhost", 6379, null, null, 3, false],
        ["redis://redis.example.com:1/0", "redis.example.com", 1, null, null, 0, false],
        ["redis://my_redis-1:65535/15", "my_redis-1", 65535, null, null, 15, false],
        ["redis://10.0.0.1:7000", "10.0.0.1", 7000, null, null, null, false],
        ["redis://[::1]", "::1", 6379, null, null, null, false],
        ["redis://[2001:db8::1]:7000/2", "2001:db8::1", 7000, null, null, 2, false],
        ["rediss://[::1]:7000", "::1", 7000, null, null, null, true],
        ["rediss://localhost", "localhost", 6379, null, null, null, true],
        ["RedisS://localhost:6380/1", "localhost", 6380, null, null, 1, true],
        ["REDIS://localhost", "localhost", 6379, null, null, null, false],
        ["redis://me@localhost", "localhost", 6379, "me", null, null, false],
        ["redis://@localhost", "localhost", 6379, null, null, null, false],
        ["redis://:secret@localhost", "localhost", 6379, null, "secret", null, false],
        ["redis://me:secret@localhost:7000/2", "localhost", 7000, "me", "secret", 2, false],
        ["rediss://me:secret@[::1]:7000/2", "::1", 7000, "me", "secret", 2, true],
        ["redis://me:se:cr:et@localhost", "localhost", 6379, "me", "se:cr:et", null, false],
        ["redis://me:secret@", "localhost", 6379, "me", "secret", null, false],
        ["redis://m%40e:%2F%3A%3f%23%5B%25%20@localhost", "localhost", 6379, "m@e", "/:?#[% ", null, false],
        ["redis://m%C3%A9:%F0%9F%98%80é😀@localhost", "localhost", 6379, "mé", "😀é😀", null, false],
        ["redis://me:a+b%2Bc,d=e@localhost", "localhost", 6379, "me", "a+b+c,d=e", null, false],
        ["redis://me:%2525@localhost", "localhost", 6379, "me", "%25", null, false],
        ["redis://me:%00@localhost", "localhost", 6379, "me", "\0", null, false],
        ["redis://l%6Fcalhost", "localhost", 6379, null, null, null, false],
    ];

    // URL, path, user, password, database
    private static readonly object?[][] UnixUrls =
    [
        ["unix:/run/redis.sock", "/run/redis.sock", null, null, null],
        ["unix:///run/redis.sock", "/run/redis.sock", null, null, null],
        ["UNIX:/run/redis.sock", "/run/redis.sock", null, null, null],
        ["unix:/run/redis.sock?db=2", "/run/redis.sock", null, null, 2],
        ["unix:///run/redis.sock?db=0", "/run/redis.sock", null, null, 0],
        ["unix://:secret@/run/redis.sock", "/run/redis.sock", null, "secret", null],
        ["unix://me:secret@/run/redis.sock?db=15", "/run/redis.sock", "me", "secret", 15],
        ["unix://me@/run/redis.sock", "/run/redis.sock", "me", null, null],
        ["unix://m%40e:%2F@/run/redis.sock", "/run/redis.sock", "m@e", "/", null],
        ["unix:/run/my%20redis%3F.sock", "/run/my redis?.sock", null, null, null],
        ["unix:/run/a@b:c.sock", "/run/a@b:c.sock", null, null, null],
        ["unix:/a", "/a", null, null, null],
    ];

    [TestCaseSource(nameof(TcpUrls))]
    public void Url_names_a_server(string url, string host, int port, string? user, string? password, int? database, bool tls)
    {
        Assert.That(RedisUrl.IsUrl(url), Is.True);
        var options = RedisUrl.Parse(url);
        using var scope = Assert.EnterMultipleScope();
        Assert.That(options.EndPoints.Select(Parts), Is.EqualTo([(host, port)]));
        Assert.That(options.User, Is.EqualTo(user));
        Assert.That(options.Password, Is.EqualTo(password));
        Assert.That(options.DefaultDatabase, Is.EqualTo(database));
        Assert.That(options.Ssl, Is.EqualTo(tls));
    }

    [TestCaseSource(nameof(UnixUrls))]
    public void Url_names_a_unix_socket(string url, string path, string? user, string? password, int? database)
    {
        Assert.That(RedisUrl.IsUrl(url), Is.True);
        var options = RedisUrl.Parse(url);
        using var scope = Assert.EnterMultipleScope();
        Assert.That(options.EndPoints, Has.Count.EqualTo(1).And.All.TypeOf<UnixDomainSocketEndPoint>());
        Assert.That(options.EndPoints[0].ToString(), Is.EqualTo(path));
        Assert.That(options.User, Is.EqualTo(user));
        Assert.That(options.Password, Is.EqualTo(password));
        Assert.That(options.DefaultDatabase, Is.EqualTo(database));
        Assert.That(options.Ssl, Is.False);
    }

    // In a cluster, which answers with numbers, a node would otherwise be known twice.
    [TestCase("redis://10.0.0.1:7000", "10.0.0.1:7000")]
    [TestCase("redis://[::1]:7000", "[::1]:7000")]
    [TestCase("redis://localhost:7000", "localhost:7000")]
    [TestCase("unix:/run/redis.sock", "!/run/redis.sock")]
    public void Server_is_the_same_in_both_syntaxes(string url, string configuration) =>
        Assert.That(RedisUrl.Parse(url).EndPoints, Is.EqualTo(ConfigurationOptions.Parse(configuration).EndPoints));

    // There I and i are two letters in any case.
    [TestCase("UNIX:/RUN/REDIS.SOCK")]
    [TestCase("REDIS://REDIS.EXAMPLE.COM")]
    public void Scheme_is_read_in_any_case_on_a_turkish_server(string url)
    {
        using var culture = new CultureScope("tr-TR");
        using var scope = Assert.EnterMultipleScope();
        Assert.That(RedisUrl.IsUrl(url), Is.True);
        Assert.That(RedisUrl.Parse(url).EndPoints, Has.Count.EqualTo(1));
    }

    [TestCase("localhost")]
    [TestCase("localhost:6379,password=x")]
    [TestCase("redis:6379")]
    [TestCase("rediss:6380,ssl=true")]
    [TestCase("localhost,password=redis://x")]
    [TestCase("://localhost")]
    [TestCase("[::1]:6379,name=a://b")]
    [TestCase("")]
    public void StackExchange_syntax_is_no_url(string configuration) => Assert.That(RedisUrl.IsUrl(configuration), Is.False);

    // All of the error: an inner exception would be logged too.
    [TestCaseSource(typeof(BadConfigurations), nameof(BadConfigurations.Urls))]
    public void Url_that_names_no_server_is_refused_for_its_reason_and_neither_the_url_nor_the_password_repeated(string url, string reason)
    {
        var error = Assert.Throws<FormatException>(() => RedisUrl.Parse(url))!;
        Assert.That(error.Message, Does.Contain(reason));
        Assert.That(error.ToString(), Does.Not.Contain(url).And.Not.Contain(BadConfigurations.Password), reason);
    }

    [TestCase("unix:", "absolute path")]
    [TestCase("unix:/", "absolute path")]
    [TestCase("unix://", "absolute path")]
    [TestCase("unix:?x=1", "only one parameter")]
    [TestCase("redis:localhost", "redis://")]
    [TestCase("redis://:%zz@host", "In the password of")]
    [TestCase("redis://%zz:secret@host", "In the user of")]
    [TestCase("redis://%zz", "In the host of")]
    [TestCase("unix:///tmp/%zz", "In the path of")]
    public void Refusal_says_which_part_is_wrong(string url, string reason) =>
        Assert.That(() => RedisUrl.Parse(url), Throws.TypeOf<FormatException>().With.Message.Contains(reason));

    private static (string Host, int Port) Parts(EndPoint endPoint) => endPoint switch
    {
        DnsEndPoint named => (named.Host, named.Port),
        IPEndPoint numbered => (numbered.Address.ToString(), numbered.Port),
        _ => throw new InvalidOperationException($"No TCP endpoint: {endPoint}"),
    };
}
