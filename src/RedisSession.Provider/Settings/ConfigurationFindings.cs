namespace RedisSession.Provider;

/// <summary>What was found where options were read from configuration, for what is said of it at the start.</summary>
internal sealed class ConfigurationFindings
{
    /// <summary>Names that nobody reads, and those that may be meant.</summary>
    public HashSet<(string Name, string Meant)> NearMisses { get; } = [];

    /// <summary>
    /// Whether redis-session's names are in use and nothing says whether the cookie is to be Secure: then it is, as there.
    /// </summary>
    public bool IsSecureAsInSeed { get; set; }
}
