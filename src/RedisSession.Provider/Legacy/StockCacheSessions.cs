using Microsoft.Extensions.Caching.Distributed;

namespace RedisSession.Provider;

/// <summary>
/// The legacy sessions of AddSession in any <see cref="IDistributedCache"/>. Such a cache cannot mark an entry, so an entry that has been
/// taken over is removed; nor can it get and remove atomically, so two requests that do so concurrently do not notice each other.
/// </summary>
internal sealed class StockCacheSessions(IDistributedCache cache) : IStockSessions
{
    public async Task<FoundLeft> FindAsync(string sessionKey, Waiting waiting)
    {
        byte[]? blob = waiting.Blocks ? cache.Get(sessionKey) : await waiting.ForAsync(cache.GetAsync(sessionKey)).ConfigureAwait(false);
        return new(blob, MayBeTaken: blob is null);
    }

    public async Task<bool> MarkAsync(string sessionKey, string generation, Waiting waiting)
    {
        bool isStillThere = await FindAsync(sessionKey, waiting).ConfigureAwait(false) is { Blob: not null };
        if (isStillThere) await EndAsync(sessionKey, waiting).ConfigureAwait(false);
        return isStillThere;
    }

    public Task PassOverAsync(string sessionKey, Waiting waiting) => Task.CompletedTask;

    public async Task<bool> EndAsync(string sessionKey, Waiting waiting)
    {
        if (waiting.Blocks) cache.Remove(sessionKey);
        else await waiting.ForAsync(RemovedAsync(sessionKey)).ConfigureAwait(false);
        return true; // a cache does not report whether there was one
    }

    private async Task<bool> RemovedAsync(string sessionKey)
    {
        await cache.RemoveAsync(sessionKey).ConfigureAwait(false);
        return true;
    }
}
