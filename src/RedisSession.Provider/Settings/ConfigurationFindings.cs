namespace RedisSession.Provider;

/// <summary>Findings from reading options from configuration, to be logged at startup.</summary>
internal sealed class ConfigurationFindings
{
    /// <summary>Names that are not read, each with the setting that may be meant.</summary>
    public HashSet<(string Name, string Meant)> NearMisses { get; } = [];

    /// <summary>
    /// Whether redis-session's names are in use and no setting says whether the cookie is Secure: then it is, as in redis-session.
    /// </summary>
    public bool IsSecureAsInSeed { get; set; }
}
