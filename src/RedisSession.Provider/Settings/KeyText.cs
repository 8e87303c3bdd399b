namespace RedisSession.Provider;

/// <summary>Validates the text that options contribute to Redis key names.</summary>
internal static class KeyText
{
    /// <summary>
    /// Looks for unpaired surrogates, which UTF-8 cannot represent: they would be sent as U+FFFD, so that two prefixes could become one.
    /// One error for each option that contains any.
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
