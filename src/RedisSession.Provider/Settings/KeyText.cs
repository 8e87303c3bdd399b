namespace RedisSession.Provider;

/// <summary>What options put into the names of Redis keys.</summary>
internal static class KeyText
{
    /// <summary>
    /// Half a surrogate pair, which UTF-8 cannot say: on its way it becomes U+FFFD, and two prefixes would be one. One error for each option
    /// that has one.
    /// </summary>
    public static IEnumerable<string> FindErrors(params (string Option, string? Text)[] options)
    {
        foreach (var (option, text) in options)
        {
            if (text is not null && SessionHashLayout.Normalize(text) != text)
            {
                yield return $"{option} holds half of a surrogate pair, which a Redis key cannot contain: use whole characters.";
            }
        }
    }
}
