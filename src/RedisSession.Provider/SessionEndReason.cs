namespace RedisSession.Provider;

/// <summary>Why a session ended.</summary>
public enum SessionEndReason
{
    /// <summary>A request abandoned it: <c>AbandonSessionAsync</c>.</summary>
    Abandoned,

    /// <summary>It was ended through <see cref="IRedisSessionDirectory"/>.</summary>
    EndedByDirectory,

    /// <summary>It reached its idle timeout or its absolute timeout.</summary>
    Expired,
}
