namespace RedisSession.Provider.Tests;

/// <summary>Configuration strings that cannot mean a Redis server. Where there is room for a password, it is always the same.</summary>
internal static class BadConfigurations
{
    public const string Password = "hunter2";

    /// <summary>The URL, and a word that the message must have, so that the refusal is for the right reason.</summary>
    public static readonly string[][] Urls =
    [
        .. Because("scheme 'http'", "http://me:hunter2@localhost"),
        .. Because("scheme 'valkey'", "valkey://me:hunter2@localhost"),
        .. Because("scheme 'redis+sentinel'", "redis+sentinel://me:hunter2@localhost"),
        .. Because("port", At("localhost:port", "localhost:0", "localhost:65536", "localhost:-1", "localhost:+6379", "localhost: 6379")),
        .. Because("port", At("localhost:99999999999", "localhost:\u0661", "[::1]:port", "[::1]::6380")),
        .. Because("database", At("localhost/name", "localhost/-1", "localhost/0/", "localhost/0/1", "localhost/ 1")),
        .. Because("database", At("localhost/99999999999")),
        .. Because("one server", At("one:6379,two:6379", "one,two/0")),
        .. Because("'?'", At("localhost?db=1")),
        .. Because("'#'", At("localhost/0#top")),
        .. Because("brackets", At("::1", "::1:6379")),
        .. Because("IPv6", At("[localhost]", "[127.0.0.1]", "[::1", "[]", "[::1]6379")),
        .. Because("host", At("local host", "local%20host", "local%2Fhost", "%")),

        // A password that is not percent-encoded is the usual mistake. Wherever it is cut, no piece of it may show.
        .. Because("%40", At("hunter2@localhost")),
        .. Because("database", "redis://me:/hunter2@localhost"),
        .. Because("%2F", "redis://me:hunter2/hunter2@localhost"),
        .. Because("%23", "redis://me:hunter2#hunter2@localhost"),
        .. Because("%3F", "redis://me:hunter2?hunter2@localhost"),
        .. Because("%25", "redis://me:hunter2%@localhost", "redis://me:hunter2%2@localhost", "redis://me:hunter2%zz@localhost"),
        .. Because("%25", "redis://m%e:hunter2@localhost"),
        .. Because("port", "redis://:hunter2", "redis://me:hunter2"),
        .. Because("absolute path", "unix:run/redis.sock", "unix://me:hunter2@"),
        .. Because("no host", "unix://me:hunter2@localhost/run/redis.sock", "unix://localhost/run/redis.sock"),
        .. Because("%40", "unix://me:hunter2@hunter2@/run/redis.sock"),
        .. Because("%25", "unix://me:hunter2%@/run/redis.sock", "unix:/run/%zz.sock"),
        .. Because("?db=", "unix://:hunter2@/run/redis.sock?database=1", "unix://:hunter2@/run/redis.sock?"),
        .. Because("database", "unix://:hunter2@/run/redis.sock?db=", "unix://:hunter2@/run/redis.sock?db=x"),
        .. Because("database", "unix://:hunter2@/run/redis.sock?db=1&x=hunter2"),
    ];

    /// <summary>
    /// URLs whose scheme was forgotten, and a password with a comma in it: with the server's name they would go into exceptions.
    /// </summary>
    public static readonly string[] UserAtServer =
    [
        "me:hunter2@localhost", "me:hunter2@localhost:6379", ":hunter2@localhost", "hunter2@localhost,ssl=true", "//me:hunter2@localhost/0",
        "one:6379, me:hunter2@two:6379", "localhost,password=a,hunter2@b",
    ];

    /// <summary>In the syntax of StackExchange.Redis, with the option that the message must name.</summary>
    public static readonly string[][] StackExchangeSyntax =
    [
        ["localhost,password=hunter2,ssl=perhaps", "ssl"],
        ["localhost,password=hunter2,connectTimeout=hunter2", "connectTimeout"],
        ["localhost,password=hunter2,defaultDatabase=hunter2", "defaultDatabase"],
        ["localhost,password=hunter2,sslProtocols=hunter2", "sslProtocols"],
        ["localhost,password=hunter2,version=hunter2", "version"],
        ["localhost,password=hunter2,hunter2=y", "hunter2"], // what follows a comma in a password passes for an option
    ];

    private static IEnumerable<string[]> Because(string reason, params string[] urls) => urls.Select(url => new[] { url, reason });

    private static string[] At(params string[] servers) => [.. servers.Select(server => $"redis://me:hunter2@{server}")];
}
