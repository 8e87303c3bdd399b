using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>When instances of the application listened for expiries. To the primary only, as <see cref="SessionHash"/>.</summary>
internal readonly struct ListeningRecord(IDatabase database, RedisKey key)
{
    // An application that was away for longer has more to look after than sessions.
    private static readonly TimeSpan TimeToLive = TimeSpan.FromDays(30);

    /// <summary>See <see cref="ListeningScripts.Beat"/>.</summary>
    public async Task<ListeningGap?> BeatAsync(string instance, bool begins, TimeSpan patience)
    {
        RedisValue[] arguments = [instance, begins, (long)patience.TotalMilliseconds, (long)TimeToLive.TotalMilliseconds];
        var reply = await ListeningScripts.Beat.RunAsync(database, key, arguments).ConfigureAwait(false);
        return reply.IsNull ? null : new(TimeIn(reply[0]), TimeIn(reply[1]));

        static DateTimeOffset TimeIn(RedisResult milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds((long)milliseconds);
    }

    /// <summary>See <see cref="ListeningScripts.End"/>.</summary>
    public Task EndAsync(string instance) =>
        ListeningScripts.End.RunAsync(database, key, [instance, (long)TimeToLive.TotalMilliseconds]);
}
