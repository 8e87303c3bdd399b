namespace RedisSession.Provider.Tests;

/// <summary>Configuration strings that cannot mean a Redis server. Where there is room for a password, it is always the same.</summary>
internal static class BadConfigurations
{
    public const string Password = "hunter2";

    /// <summary>The URL, and a word that the message must have, so that the refusal is for the right reason.</summary>
    public static readonly string[][] Urls =
    [
        ["http://me:hunter2@localhost", "scheme 'http'"],
        ["valkey://me:hunter2@localhost", "scheme 'valkey'"],
        ["redis+sentinel://me:hunter2@localhost", "scheme 'redis+sentinel'"],
        ["redis://me:hunter2@localhost:port", "port"],
        ["redis://me:hunter2@localhost:0", "port"],
        ["redis://me:hunter2@localhost:65536", "port"],
        ["redis://me:hunter2@localhost:-1", "port"],
        ["redis://me:hunter2@localhost:+6379", "port"],
        ["redis://me:hunter2@localhost: 6379", "port"],
        ["redis://me:hunter2@localhost:99999999999", "port"],
        ["redis://me:hunter2@localhost:\u0661", "port"],
        ["redis://me:hunter2@localhost/name", "database"],
        ["redis://me:hunter2@localhost/-1", "database"],
        ["redis://me:hunter2@localhost/0/", "database"],
        ["redis://me:hunter2@localhost/0/1", "database"],
        ["redis://me:hunter2@localhost/ 1", "database"],
        ["redis://me:hunter2@localhost/99999999999", "database"],
        ["redis://me:hunter2@one:6379,two:6379", "one server"],
        ["redis://me:hunter2@one,two/0", "one server"],
        ["redis://me:hunter2@localhost?db=1", "'?'"],
        ["redis://me:hunter2@localhost/0#top", "'#'"],
        ["redis://me:hunter2@::1", "brackets"],
        ["redis://me:hunter2@::1:6379", "brackets"],
        ["redis://me:hunter2@[localhost]", "IPv6"],
        ["redis://me:hunter2@[127.0.0.1]", "IPv6"],
        ["redis://me:hunter2@[::1", "IPv6"],
        ["redis://me:hunter2@[]", "IPv6"],
        ["redis://me:hunter2@[::1]6379", "IPv6"],
        ["redis://me:hunter2@[::1]:port", "port"],
        ["redis://me:hunter2@[::1]::6380", "port"],
        ["redis://me:hunter2@local host", "host"],
        ["redis://me:hunter2@local%20host", "host"],
        ["redis://me:hunter2@local%2Fhost", "host"],
        ["redis://me:hunter2@%", "host"],

        // A password that is not percent-encoded is the usual mistake. Wherever it is cut, no piece of it may show.
        ["redis://me:hunter2@hunter2@localhost", "%40"],
        ["redis://me:/hunter2@localhost", "database"],
        ["redis://me:hunter2/hunter2@localhost", "%2F"],
        ["redis://me:hunter2#hunter2@localhost", "%23"],
        ["redis://me:hunter2?hunter2@localhost", "%3F"],
        ["redis://me:hunter2%@localhost", "%25"],
        ["redis://me:hunter2%2@localhost", "%25"],
        ["redis://me:hunter2%zz@localhost", "%25"],
        ["redis://m%e:hunter2@localhost", "%25"],
        ["redis://:hunter2", "port"],
        ["redis://me:hunter2", "port"],
        ["unix:run/redis.sock", "absolute path"],
        ["unix://me:hunter2@", "absolute path"],
        ["unix://me:hunter2@localhost/run/redis.sock", "no host"],
        ["unix://localhost/run/redis.sock", "no host"],
        ["unix://me:hunter2@hunter2@/run/redis.sock", "%40"],
        ["unix://me:hunter2%@/run/redis.sock", "%25"],
        ["unix:/run/%zz.sock", "%25"],
        ["unix://:hunter2@/run/redis.sock?database=1", "?db="],
        ["unix://:hunter2@/run/redis.sock?", "?db="],
        ["unix://:hunter2@/run/redis.sock?db=", "database"],
        ["unix://:hunter2@/run/redis.sock?db=x", "database"],
        ["unix://:hunter2@/run/redis.sock?db=1&x=hunter2", "database"],
    ];

    /// <summary>
    /// URLs whose scheme was forgotten, and a password with a comma in it: with the server's name they would go into exceptions.
    /// </summary>
    public static readonly string[] UserAtServer =
    [
        "me:hunter2@localhost",
        "me:hunter2@localhost:6379",
        ":hunter2@localhost",
        "hunter2@localhost,ssl=true",
        "//me:hunter2@localhost/0",
        "one:6379, me:hunter2@two:6379",
        "localhost,password=a,hunter2@b",
    ];

    /// <summary>In the syntax of StackExchange.Redis, with the option that the message must name.</summary>
    public static readonly string[][] StackExchangeSyntax =
    [
        ["localhost,password=hunter2,ssl=perhaps", "ssl"],
        ["localhost,password=hunter2,connectTimeout=hunter2", "connectTimeout"],
        ["localhost,password=hunter2,defaultDatabase=hunter2", "defaultDatabase"],
        ["localhost,password=hunter2,sslProtocols=hunter2", "sslProtocols"],
        ["localhost,password=hunter2,version=hunter2", "version"],

        // What follows a comma in a password passes for an option.
        ["localhost,password=hunter2,hunter2=y", "hunter2"],
    ];
}
