namespace RedisSession.Provider.Benchmarks;

/// <summary>Choices on the command line by name, with commas in between.</summary>
internal static class Names
{
    /// <summary>Those of the list, in the order of <paramref name="all"/>; all where there is none.</summary>
    /// <exception cref="UsageException">One of them does not exist.</exception>
    public static IReadOnlyList<T> Choose<T>(string? list, IReadOnlyList<T> all, Func<T, string> nameOf, string what)
    {
        if (list is null) return all;
        string[] names = list.Split(',', StringSplitOptions.TrimEntries);
        if (names.Except(all.Select(nameOf)).FirstOrDefault() is { } odd)
            throw new UsageException($"There is no {what} '{odd}', only {string.Join(", ", all.Select(nameOf))}.");
        return [.. all.Where(one => names.Contains(nameOf(one)))];
    }
}
