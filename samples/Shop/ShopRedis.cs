using Microsoft.AspNetCore.DataProtection;
using StackExchange.Redis;

namespace Shop;

/// <summary>The shop's own connection to Redis, for what is not the session's business.</summary>
internal static class ShopRedis
{
    public static void AddShopRedis(this IServiceCollection services, string address, bool shareDataProtectionKeys)
    {
        // Opened when first needed, which is after AddRedisHashSession has checked the address.
        var connection = new Lazy<IConnectionMultiplexer>(() => Connect(address));
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

    private static ConnectionMultiplexer Connect(string address)
    {
        var options = RedisAddress.Parse(address);
        options.AbortOnConnectFail = false; // a shop whose Redis is away starts, and recovers with it
        return ConnectionMultiplexer.Connect(options);
    }
}
