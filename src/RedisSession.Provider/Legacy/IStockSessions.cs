namespace RedisSession.Provider;

/// <summary>
/// Where AddSession has left its sessions, each as a <see cref="StockSessionBlob"/> under its session key. A blob is taken over once: it is
/// marked as what it lives on as, and one that is marked, or whose session has ended, is found no more.
/// </summary>
internal interface IStockSessions
{
    /// <summary>Looks for the session's blob. What is no blob is found, too.</summary>
    Task<FoundLeft> FindAsync(string sessionKey, Waiting waiting);

    /// <summary>
    /// Notes that the session lives on as the hash of <paramref name="generation"/>, so that its blob is not found again. False when it has
    /// been noted as another one, or has ended, since it was found: that hash must not live.
    /// </summary>
    Task<bool> MarkAsync(string sessionKey, string generation, Waiting waiting);

    /// <summary>The blob cannot be read: it is left to whoever can, and not found again where that can be noted.</summary>
    Task PassOverAsync(string sessionKey, Waiting waiting);

    /// <summary>Ends the session for instances that still use the blob, too. False when there was none.</summary>
    Task<bool> EndAsync(string sessionKey, Waiting waiting);
}
