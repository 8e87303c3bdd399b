using System.Diagnostics;

namespace RedisSession.Provider.Tests;

/// <summary>Waits for servers to come to an agreement.</summary>
internal static class Until
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Looks again and again.</summary>
    /// <inheritdoc cref="TrueAsync(string, Func{Task{bool}})" path="/exception"/>
    public static Task TrueAsync(string what, Func<bool> condition) => TrueAsync(what, () => Task.FromResult(condition()));

    /// <summary>Asks again and again; a server that does not answer, or with an error, has not come so far yet.</summary>
    /// <exception cref="TimeoutException">It did not come true; the message names <paramref name="what"/>.</exception>
    public static async Task TrueAsync(string what, Func<Task<bool>> condition)
    {
        var clock = Stopwatch.StartNew();
        Exception? last = null;
        while (true)
        {
            try
            {
                if (await condition()) return;
            }
            catch (Exception error) when (error is IOException or RespErrorException)
            {
                last = error;
            }

            if (clock.Elapsed > Patience) throw new TimeoutException($"Not within {Patience}: {what}.", last);
            await Task.Delay(20);
        }
    }
}
