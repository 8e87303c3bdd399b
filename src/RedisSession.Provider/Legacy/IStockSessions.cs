namespace RedisSession.Provider;

/// <summary>
/// The store of AddSession's legacy sessions, each a <see cref="StockSessionBlob"/> under its session key. A blob is taken over once: it
/// is marked with the hash that replaces it, and a blob that is marked, or whose session has ended, is not found again.
/// </summary>
internal interface IStockSessions
{
    /// <summary>Looks for the session's blob. Also finds data that is not a valid blob.</summary>
    Task<FoundLeft> FindAsync(string sessionKey, Waiting waiting);

    /// <summary>
    /// Marks the session as replaced by the hash of <paramref name="generation"/>, so that its blob is not found again. False if, since it
    /// was found, it was marked with another hash or has ended: the hash must then be deleted.
    /// </summary>
    Task<bool> MarkAsync(string sessionKey, string generation, Waiting waiting);

    /// <summary>Skips an unreadable blob: leaves it to code that can read it; if the store can mark it, it is not found again.</summary>
    Task PassOverAsync(string sessionKey, Waiting waiting);

    /// <summary>Ends the session for instances that still use the blob, too. False if there was no blob.</summary>
    Task<bool> EndAsync(string sessionKey, Waiting waiting);
}
