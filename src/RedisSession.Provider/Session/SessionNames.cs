using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>What the identities of all sessions share: where their hashes are, and whether their values are encrypted.</summary>
internal sealed class SessionNames(
    IOptions<RedisHashSessionOptions> options, IDataProtectionProvider dataProtection, ILogger<RedisHashSession> logger)
{
    private readonly bool _protectsValues = options.Value.ProtectValues;

    /// <summary>What the Redis keys of all sessions start with, in UTF-8.</summary>
    public byte[] KeyStart { get; } = SessionHashLayout.KeyStart(options.Value.KeyPrefix);

    public SessionIdentity Identify(string? sessionKey, bool isNew) => new(sessionKey, isNew, this);

    /// <summary>The channel that announces released session locks.</summary>
    public RedisChannel LockChannel { get; } = RedisChannel.Literal(options.Value.KeyPrefix + "locks");

    public ValueProtector? ProtectorOf(SessionIdentity identity) =>
        _protectsValues ? new(dataProtection, identity.Id, logger) : null;
}
