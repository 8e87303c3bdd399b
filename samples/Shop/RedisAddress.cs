using System.Globalization;
using StackExchange.Redis;

namespace Shop;

/// <summary>Where the shop's Redis is. The sessions read this for themselves; it is here for the shop's own connection.</summary>
internal static class RedisAddress
{
    public const string Name = "SESSION_REDIS";

    // The first that is given wins, as in AddRedisHashSession.
    private static readonly string[] Names = ["session-redis", Name, "RedisHashSession:Configuration"];

    /// <summary>The address that the configuration gives, or null.</summary>
    public static string? Find(IConfiguration configuration) =>
        Names.Select(name => configuration[name]).FirstOrDefault(address => !string.IsNullOrWhiteSpace(address));

    /// <summary>Reads <c>redis://user:password@host:port/database</c> (<c>rediss://</c>: TLS), or StackExchange.Redis syntax.</summary>
    public static ConfigurationOptions Parse(string address)
    {
        if (!address.Contains("://", StringComparison.Ordinal)) return ConfigurationOptions.Parse(address);

        var url = new Uri(address);
        if (url.Scheme is not ("redis" or "rediss")) throw new FormatException($"The shop knows redis:// and rediss://, not {url.Scheme}://.");

        var options = new ConfigurationOptions { Ssl = url.Scheme == "rediss" };
        options.EndPoints.Add(url.DnsSafeHost, url.IsDefaultPort ? 6379 : url.Port);

        string[] user = url.UserInfo.Split(':', 2);
        if (user[0].Length > 0) options.User = Uri.UnescapeDataString(user[0]);
        if (user.Length == 2) options.Password = Uri.UnescapeDataString(user[1]);

        string database = url.AbsolutePath.Trim('/');
        if (database.Length > 0) options.DefaultDatabase = int.Parse(database, CultureInfo.InvariantCulture);
        return options;
    }
}
