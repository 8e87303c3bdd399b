using Microsoft.Extensions.Caching.Distributed;

namespace RedisSession.Provider;

/// <summary>
/// The sessions of an AddSession over any <see cref="IDistributedCache"/>. Such a cache cannot be told to mark an entry, so the one that
/// has been taken over is removed; nor to look and remove in one step, so two who do it at the same moment do not notice.
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
        return true; // whether there was one, a cache does not say
    }

    private async Task<bool> RemovedAsync(string sessionKey)
    {
        await cache.RemoveAsync(sessionKey).ConfigureAwait(false);
        return true;
    }
}
