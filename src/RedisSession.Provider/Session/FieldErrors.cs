using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// Exceptions for a key that cannot be changed as requested. The messages contain its name and the session's id, not its value.
/// </summary>
internal static class FieldErrors
{
    public static InvalidOperationException NoNumber(string key, string sessionId) => new(
        $"'{LogText.Line(key)}' of session {sessionId} is not an integer stored as text, so nothing was added. "
        + "(SetInt32 writes bytes; SetValue writes text.)");

    public static OverflowException TooLarge(string key, string sessionId) => new(
        $"The sum for '{LogText.Line(key)}' of session {sessionId} does not fit into 64 bits; nothing was added.");

    /// <param name="refusal">The server's error for HINCRBY.</param>
    /// <param name="key">The session key.</param>
    /// <param name="sessionId">The session's id.</param>
    public static Exception NotAdded(string refusal, string key, string sessionId)
    {
        if (refusal.Contains("overflow", StringComparison.OrdinalIgnoreCase)) return TooLarge(key, sessionId);
        return refusal.Contains("integer", StringComparison.OrdinalIgnoreCase)
            ? NoNumber(key, sessionId)
            : new RedisServerException(RedisErrorKind.Unknown, CommandFlags.None, refusal);
    }

    public static NotSupportedException NotExpiring() => new(
        "This server cannot expire a single session key: that requires Redis 7.4, Valkey 9 or Garnet. Nothing was written.");
}
