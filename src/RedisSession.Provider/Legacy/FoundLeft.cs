namespace RedisSession.Provider;

/// <summary>What a look for the blob of a session has found: <see cref="IStockSessions.FindAsync"/>.</summary>
/// <param name="Blob">Null when there is none, or none that may be taken over any more.</param>
/// <param name="MayBeTaken">It may have been taken over since the request found no hash: there may be one now.</param>
internal readonly record struct FoundLeft(byte[]? Blob, bool MayBeTaken);
