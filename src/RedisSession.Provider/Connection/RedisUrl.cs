using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// Redis URLs, which StackExchange.Redis does not parse. Pure. Error texts never repeat the URL: it may hold a password.
/// </summary>
/// <remarks>
/// <code>
/// redis://[[user][:password]@][host][:port][/database]     host localhost, port 6379, database 0 unless given
/// rediss://…                                               the same over TLS
/// unix:[//[[user][:password]@]]/path/to/socket[?db=database]
/// </code>
/// User, password and path are percent-decoded. Follows the registered "redis" scheme, and redis-py.
/// </remarks>
internal static class RedisUrl
{
    private const int DefaultPort = 6379;

    private static readonly SearchValues<char> SchemeCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

    /// <summary>True when <paramref name="text"/> is a URL and not StackExchange.Redis syntax.</summary>
    public static bool IsUrl(string text)
    {
        int colon = text.IndexOf(':');
        if (colon <= 0 || text.AsSpan(0, colon).ContainsAnyExcept(SchemeCharacters)) return false;

        // "redis:6379" is a host of that name; "redis:/host" can only be a URL missing a slash.
        bool hasPath = text.AsSpan(colon + 1).StartsWith("/");
        return hasPath || text.StartsWith("unix:", StringComparison.OrdinalIgnoreCase);
    }

    /// <exception cref="FormatException">The URL does not identify a Redis server; the message says why.</exception>
    public static ConfigurationOptions Parse(string url)
    {
        string scheme = url[..url.IndexOf(':')].ToLowerInvariant();
        var options = scheme switch
        {
            "redis" => ParseTcp(url),
            "rediss" => ParseTcp(url),
            "unix" => ParseUnix(url),
            _ => throw new FormatException($"The URL scheme '{scheme}' is unknown: use redis://, rediss:// (TLS) or unix:."),
        };
        if (scheme == "rediss") options.Ssl = true;
        return options;
    }

    private static ConfigurationOptions ParseTcp(string url)
    {
        string rest = url[(url.IndexOf(':') + 1)..];
        if (!rest.StartsWith("//", StringComparison.Ordinal))
        {
            throw new FormatException("A Redis URL must start with redis:// or rediss://.");
        }

        rest = rest[2..];

        if (rest.Contains('#')) throw new FormatException("A Redis URL cannot contain '#'; in a password, write %23.");
        if (rest.Contains('?'))
        {
            throw new FormatException(
                "A redis:// URL takes no '?' parameters (in a password, write %3F): for more options, use StackExchange.Redis syntax.");
        }

        int slash = rest.IndexOf('/');
        string authority = slash < 0 ? rest : rest[..slash];
        string path = slash < 0 ? "" : rest[(slash + 1)..];

        var options = new ConfigurationOptions();
        authority = ParseUser(authority, options);
        var (host, port) = ParseHost(authority);
        options.EndPoints.Add(host, port);
        if (path.Length > 0) options.DefaultDatabase = ParseDatabase(path);
        return options;
    }

    private static ConfigurationOptions ParseUnix(string url)
    {
        string rest = url["unix:".Length..];
        var options = new ConfigurationOptions();
        int query = rest.IndexOf('?');
        if (query >= 0)
        {
            string parameter = rest[(query + 1)..];
            if (!parameter.StartsWith("db=", StringComparison.Ordinal))
            {
                throw new FormatException("A unix: URL takes only one parameter, ?db=N.");
            }
            options.DefaultDatabase = ParseDatabase(parameter["db=".Length..]);
            rest = rest[..query];
        }

        if (rest.StartsWith("//", StringComparison.Ordinal))
        {
            int path = rest.IndexOf('/', 2);
            string host = ParseUser(rest[2..(path < 0 ? rest.Length : path)], options);
            if (host.Length > 0)
            {
                throw new FormatException("A unix: URL takes no host; its path starts with a slash: unix:///path/to/socket.");
            }
            rest = path < 0 ? "" : rest[path..];
        }

        if (rest.Length < 2 || rest[0] != '/') throw new FormatException("A unix: URL needs an absolute path: unix:///path/to/socket.");
        options.EndPoints.Add(new UnixDomainSocketEndPoint(Decode(rest, "path")));
        return options;
    }

    /// <summary>Takes <c>[user][:password]@</c> off the front.</summary>
    private static string ParseUser(string authority, ConfigurationOptions options)
    {
        int at = authority.LastIndexOf('@');
        if (at < 0) return authority;

        string userInfo = authority[..at];
        if (userInfo.Contains('@')) throw new FormatException("In the user or password of a Redis URL, write '@' as %40.");
        int colon = userInfo.IndexOf(':');
        string user = Decode(colon < 0 ? userInfo : userInfo[..colon], "user");
        if (user.Length > 0) options.User = user;
        if (colon >= 0) options.Password = Decode(userInfo[(colon + 1)..], "password");
        return authority[(at + 1)..];
    }

    private static (string Host, int Port) ParseHost(string authority)
    {
        if (authority.Contains(','))
        {
            throw new FormatException(
                "A Redis URL names one server: for several, use StackExchange.Redis syntax (host1:6379,host2:6379).");
        }

        string host = authority, port = "";
        if (authority.StartsWith('['))
        {
            int end = authority.IndexOf(']');
            if (end < 0 || !IPAddress.TryParse(authority[1..end], out var address) || address.AddressFamily != AddressFamily.InterNetworkV6)
            {
                throw new FormatException("The host of the Redis URL is not an IPv6 address in brackets, such as [::1].");
            }

            host = authority[1..end];
            port = authority[(end + 1)..];
            if (port.Length > 0 && port[0] != ':')
            {
                throw new FormatException("In a Redis URL, an IPv6 host can only be followed by ':' and the port.");
            }
            if (port.Length > 0) port = port[1..];
        }
        else if (authority.IndexOf(':') is var colon and >= 0)
        {
            host = authority[..colon];
            port = authority[(colon + 1)..];
            if (port.Contains(':'))
            {
                throw new FormatException("The host of the Redis URL has several ':'; put an IPv6 address in brackets, as in [::1].");
            }
        }

        host = Decode(host, "host");
        if (host.Length == 0) host = "localhost";
        if (Uri.CheckHostName(host) == UriHostNameType.Unknown) throw new FormatException("The host of the Redis URL is not a host name.");
        return (host, port.Length == 0 ? DefaultPort : ParsePort(port));
    }

    private static int ParsePort(string text) =>
        IsNumber(text, out int port) && port is > 0 and <= 65535
            ? port
            : throw new FormatException(
                "The port of the Redis URL is not a number from 1 to 65535. (In a password, write ':' as %3A and '/' as %2F.)");

    private static int ParseDatabase(string text) =>
        IsNumber(text, out int database)
            ? database
            : throw new FormatException("The database of the Redis URL must be a number, as in /0.");

    private static bool IsNumber(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static string Decode(string text, [ConstantExpected] string part)
    {
        for (int i = text.IndexOf('%'); i >= 0; i = text.IndexOf('%', i + 1))
        {
            if (i + 2 >= text.Length || !char.IsAsciiHexDigit(text[i + 1]) || !char.IsAsciiHexDigit(text[i + 2]))
            {
                throw new FormatException($"In the {part} of the Redis URL, a '%' is not followed by two hex digits; write '%' as %25.");
            }
        }

        return Uri.UnescapeDataString(text);
    }
}
