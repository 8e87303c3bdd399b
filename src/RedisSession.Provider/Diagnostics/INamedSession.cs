namespace RedisSession.Provider;

/// <summary>What an operation is about. The id is made when a trace asks for it.</summary>
internal interface INamedSession
{
    /// <summary>The session's public id.</summary>
    string Id { get; }
}
