namespace RedisSession.Provider;

/// <summary>The event ids of <see cref="Log"/>.</summary>
internal static class SessionEvents
{
    public const int AccessingExpiredSession = 1;
    public const int SessionStarted = 2;
    public const int SessionLoaded = 3;
    public const int SessionStored = 4;
    public const int SessionRenewed = 5;
    public const int SessionAbandoned = 6;
    public const int ReadFailed = 7;
    public const int WriteFailed = 8;
    public const int WriteRefused = 9;
    public const int TimedOut = 10;
    public const int RefreshFailed = 11;
    public const int ValueUnreadable = 12;
    public const int Connected = 13;
    public const int NotConnectedYet = 14;
    public const int ConnectingFailed = 15;
    public const int NoDedicatedThreads = 16;
    public const int ManySequentialReads = 17;
    public const int ListingFailed = 21;
    public const int UserUnknown = 22;
    public const int SessionEnded = 23;
    public const int HandlerFailed = 25;
    public const int ExpiriesUnheard = 26;
    public const int ExpiriesMissed = 27;
    public const int ListeningFailed = 28;
    public const int ClaimFailed = 29;
    public const int EventsNotTold = 30;
    public const int SessionTakenOver = 31;
    public const int StockSessionUnreadable = 32;
    public const int StockSessionNotMarked = 33;
    public const int RenewedCookieHeldBack = 34;
    public const int RenewalNotSealed = 35;
    public const int SecureAsInSeed = 36;
    public const int SettingNearlyOurs = 37;
    public const int LoadsAhead = 38;
    public const int CookieUnreadable = 39;
    public const int RequestUnknown = 40;
    public const int CommitFailed = 41;
    public const int ConnectionRefused = 42;
    public const int WrongUser = 43;
    public const int EventsDropped = 44;
}
