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

    /// <summary>A value that reads as absent, but which an instance with more data-protection keys may still be able to read.</summary>
    public static InvalidOperationException NotDecrypted(string key, string sessionId) => new(
        $"'{LogText.Line(key)}' of session {sessionId} holds a value that cannot be decrypted here, so it was not changed. "
        + "(Instances need the same data-protection keys; to give the value up, set or remove the key.)");

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
