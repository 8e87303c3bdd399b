namespace RedisSession.Provider;

/// <summary>The request in which the directory is called.</summary>
internal interface ICallingRequest
{
    /// <summary>The id of its session; null if there is no request, or it has none.</summary>
    string? SessionId { get; }
}
