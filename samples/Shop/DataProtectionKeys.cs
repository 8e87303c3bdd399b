using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.StackExchangeRedis;
using RedisSession.Provider;

namespace Shop;

/// <summary>
/// The session cookie is encrypted with these keys: only instances that share them accept each other's cookies. They are stored in the same
/// Redis as the sessions, over the same connection. In production, encrypt the keys too (ProtectKeysWithCertificate).
/// </summary>
internal static class DataProtectionKeys
{
    public static void AddSharedDataProtectionKeys(this IServiceCollection services)
    {
        services.AddDataProtection().SetApplicationName("Shop");
        services.AddOptions<KeyManagementOptions>().Configure<IRedisSessionConnection>((keys, redis) =>
            keys.XmlRepository = new RedisXmlRepository(
                // Data protection reads its keys synchronously, once at startup and then once a day.
                () => redis.GetDatabaseAsync().AsTask().GetAwaiter().GetResult(),
                "shop:data-protection-keys"));
    }
}
