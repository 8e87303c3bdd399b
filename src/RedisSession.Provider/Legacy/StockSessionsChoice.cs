using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;

namespace RedisSession.Provider;

/// <summary>Chooses the store of AddSession's legacy sessions that the options name.</summary>
internal static class StockSessionsChoice
{
    /// <summary>Null if no legacy sessions are to be taken over.</summary>
    public static IStockSessions? Of(RedisHashSessionOptions options, RedisConnection connection, IServiceProvider services)
    {
        if (options.InstanceNameOfLeft is { } instanceName)
            return new DiscreetStockSessions(new StockRedisSessions(connection, instanceName));
        if (options.TakesOverFromCache)
            return new DiscreetStockSessions(new StockCacheSessions(services.GetRequiredService<IDistributedCache>()));
        return null;
    }
}
