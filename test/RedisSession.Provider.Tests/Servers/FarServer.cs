using System.Diagnostics;

namespace RedisSession.Provider.Tests;

/// <summary>
/// A server that is far away: every reply takes its time, however many are on their way. So the time that a request takes tells how many
/// round trips it waited for, one after the other.
/// </summary>
internal sealed class FarServer(string server, TimeSpan delay) : IAsyncDisposable
{
    private const int MostTries = 20;

    private readonly Relay _relay = new(server, back: delay);

    public string ConfigurationString => _relay.Address;

    /// <summary>
    /// How many round trips the work that is prepared waits for: the least of several tries, since a busy machine can only add to it. None
    /// is needed after one that took no more than <paramref name="enough"/>.
    /// </summary>
    public async Task<int> RoundTripsAsync(int enough, Func<Task<Func<Task>>> prepare)
    {
        int least = int.MaxValue;
        for (int i = 0; i < MostTries && least > enough; i++)
        {
            var work = await prepare();
            var clock = Stopwatch.StartNew();
            await work();
            least = Math.Min(least, (int)((clock.Elapsed / delay) + 0.1)); // timers may be a moment early
        }

        return least;
    }

    public ValueTask DisposeAsync() => _relay.DisposeAsync();
}
