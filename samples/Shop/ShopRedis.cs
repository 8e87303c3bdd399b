using Microsoft.AspNetCore.DataProtection;
using StackExchange.Redis;

namespace Shop;

/// <summary>The shop's own connection to Redis, for what is not the session's business.</summary>
internal static class ShopRedis
{
    public static void AddShopRedis(this IServiceCollection services, string address, bool shareDataProtectionKeys)
    {
        var options = RedisAddress.Parse(address);
        options.AbortOnConnectFail = false; // a shop whose Redis is away starts, and recovers with it
        options.BacklogPolicy = BacklogPolicy.FailFast; // until then nothing waits for it
        var connection = new Lazy<IConnectionMultiplexer>(() => ConnectionMultiplexer.Connect(options));
        services.AddSingleton(_ => connection.Value);
        services.AddSingleton<StoredSessions>();

        // The session cookie is encrypted with these keys: only instances that share them accept each other's cookies. In production
        // encrypt the keys too (ProtectKeysWithCertificate). An embedded server has one instance, and would forget them with it.
        if (shareDataProtectionKeys)
        {
            services.AddDataProtection()
                .SetApplicationName("Shop")
                .PersistKeysToStackExchangeRedis(() => connection.Value.GetDatabase(), "shop:data-protection-keys");
        }
    }
}
