using System.Net;
using System.Text.RegularExpressions;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// Which user a server takes us for. The client carries on when its user and password are refused; if the server's user <c>default</c> is
/// open, everything works, with that user's rights.
/// </summary>
internal static partial class ConnectedUser
{
    /// <summary>The user a server assigns to a connection that sends no credentials, or wrong ones.</summary>
    public const string Fallback = "default";

    /// <summary>A server that takes us for another user; null if there is none, or none can be identified.</summary>
    /// <exception cref="RedisException">A server did not answer.</exception>
    public static async Task<Mistake?> FindMistakeAsync(IConnectionMultiplexer multiplexer, string? wanted)
    {
        if (string.IsNullOrEmpty(wanted) || wanted == Fallback) return null;
        var looks = multiplexer.GetServers().Where(server => server.IsConnected).Select(async server =>
            (server.EndPoint, User: await FindAsync(server).ConfigureAwait(false)));
        foreach (var (server, user) in await Task.WhenAll(looks).ConfigureAwait(false))
        {
            // A managed server may know the same user by any other name.
            if (user == Fallback) return new(server, user, wanted);
        }

        return null;
    }

    /// <summary>The user, from ACL WHOAMI or its refusal, else CLIENT INFO; null if the server does not say.</summary>
    public static async Task<string?> FindAsync(IServer server)
    {
        if (server.ServerType is ServerType.Twemproxy or ServerType.Envoyproxy) return null;
        try
        {
            return (string?)await server.ExecuteAsync("ACL", "WHOAMI").ConfigureAwait(false);
        }
        catch (RedisServerException error) when (NameInRefusal().Match(error.Message) is { Success: true } match)
        {
            return match.Groups[1].Value;
        }
        catch (Exception error) when (error is RedisServerException or RedisCommandException)
        {
            // The server lacks the command, or the application has disabled it.
        }

        try
        {
            string? information = (string?)await server.ExecuteAsync("CLIENT", "INFO").ConfigureAwait(false);
            return NameInInformation().Match(information ?? "") is { Success: true } match ? match.Groups[1].Value : null;
        }
        catch (Exception error) when (error is RedisServerException or RedisCommandException)
        {
            return null;
        }
    }

    [GeneratedRegex("^NOPERM User (\\S+) has no permissions")]
    private static partial Regex NameInRefusal();

    [GeneratedRegex("(?:^| )user=(\\S*)")]
    private static partial Regex NameInInformation();

    internal sealed record Mistake(EndPoint Server, string Actual, string Wanted);
}
