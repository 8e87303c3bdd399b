using System.Runtime.CompilerServices;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// Asks how large a key is, by MEMORY USAGE: not every server has it, not every user may use it, and a proxy such as twemproxy drops the
/// connection for it. Nothing depends on the answer, so a server that refused it once is not asked again.
/// </summary>
internal sealed class SizeQuestion
{
    // Fields that the server samples to tell how large a hash is; by default it takes 5, and misses the large one.
    private const int Samples = 100;

    // One dropped connection may be an accident; a second, with no answer in between, is due to the command.
    private const int Accidents = 2;

    private static readonly ConditionalWeakTable<IConnectionMultiplexer, SizeQuestion> Known = [];

    private volatile bool _isRefused;
    private int _cuts;

    private SizeQuestion(IConnectionMultiplexer multiplexer) =>
        _isRefused = multiplexer.GetServers().Any(server => server.ServerType is ServerType.Twemproxy or ServerType.Envoyproxy);

    /// <summary>The size in bytes; null if unknown. Sent at once, and never fails.</summary>
    public static Task<long?> AskAsync(IDatabase database, RedisKey key) =>
        Known.GetValue(database.Multiplexer, static multiplexer => new(multiplexer)).SendAsync(database, key);

    private async Task<long?> SendAsync(IDatabase database, RedisKey key)
    {
        if (_isRefused) return null;
        try
        {
            var size = await Sending.Try(
                database,
                key,
                (database, arguments: (object[])["USAGE", key, "SAMPLES", Samples]),
                static it => it.database.ExecuteAsync("MEMORY", it.arguments, CommandFlags.DemandMaster),
                again: false).ConfigureAwait(false);
            Volatile.Write(ref _cuts, 0);
            return (long?)size;
        }
        catch (Exception error)
        {
            _isRefused |= error switch
            {
                RedisCommandException => true,
                RedisServerException { Kind: RedisErrorKind.Unknown or RedisErrorKind.UnknownError } => true,
                RedisServerException { Kind: RedisErrorKind.NoPermission or RedisErrorKind.NotPermitted } => true,
                RedisServerException { Kind: RedisErrorKind.UnknownCommand } => true,
                RedisConnectionException lost when WasSent(lost) => Interlocked.Increment(ref _cuts) >= Accidents,
                _ => false,
            };
            return null;
        }
    }

    private static bool WasSent(RedisConnectionException lost) =>
        lost.CommandStatus == CommandStatus.Sent || (lost.InnerException is RedisConnectionException inner && WasSent(inner));
}
