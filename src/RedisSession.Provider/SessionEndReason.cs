namespace RedisSession.Provider;

/// <summary>Why a session is no more.</summary>
public enum SessionEndReason
{
    /// <summary>A request has abandoned it: <c>AbandonSessionAsync</c>.</summary>
    Abandoned,

    /// <summary>It was ended from outside, through <see cref="IRedisSessionDirectory"/>.</summary>
    EndedByDirectory,

    /// <summary>It was not used for its idle timeout, or has reached its absolute timeout.</summary>
    Expired,
}
