using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>When instances of the application listened for expiries. Primary only, like <see cref="SessionHash"/>.</summary>
internal readonly struct ListeningRecord(IDatabase database, RedisKey key)
{
    // An application that was down for longer has more to worry about than sessions.
    private static readonly TimeSpan TimeToLive = TimeSpan.FromDays(30);

    /// <summary>See <see cref="ListeningScripts.Beat"/>.</summary>
    /// <param name="instance">The listening instance.</param>
    /// <param name="begins">Whether it has not listened continuously since it last said so.</param>
    /// <param name="patience">How long a silent one may still report that it has listened.</param>
    /// <param name="said">When it last said so: <see cref="Beat.At"/>; 0 if never.</param>
    public async Task<Beat> BeatAsync(string instance, bool begins, TimeSpan patience, long said = 0)
    {
        RedisValue[] arguments = [instance, begins, (long)patience.TotalMilliseconds, (long)TimeToLive.TotalMilliseconds, said];
        var reply = await ListeningScripts.Beat.RunAsync(database, key, arguments).ConfigureAwait(false);
        return new((long)reply[0], reply.Length > 1 ? new(TimeIn(reply[1]), TimeIn(reply[2])) : null);

        static DateTimeOffset TimeIn(RedisResult milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds((long)milliseconds);
    }

    /// <summary>See <see cref="ListeningScripts.End"/>.</summary>
    public Task EndAsync(string instance) =>
        ListeningScripts.End.RunAsync(database, key, [instance, (long)TimeToLive.TotalMilliseconds]);

    /// <param name="At">The server's clock, in unix milliseconds.</param>
    /// <param name="Missed">A period in which no instance listened, if this one is to report it.</param>
    internal readonly record struct Beat(long At, ListeningGap? Missed);
}
