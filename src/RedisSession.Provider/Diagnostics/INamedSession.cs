namespace RedisSession.Provider;

/// <summary>The session that an operation is about. The id is computed only when a trace needs it.</summary>
internal interface INamedSession
{
    /// <summary>The session's public id.</summary>
    string Id { get; }
}
