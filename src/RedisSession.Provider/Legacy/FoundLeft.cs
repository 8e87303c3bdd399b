namespace RedisSession.Provider;

/// <summary>The result of looking for a session's blob: <see cref="IStockSessions.FindAsync"/>.</summary>
/// <param name="Blob">Null if there is none, or it can no longer be taken over.</param>
/// <param name="MayBeTaken">It may have been taken over since the request found no hash, so there may be a hash now.</param>
internal readonly record struct FoundLeft(byte[]? Blob, bool MayBeTaken);
