namespace RedisSession.Provider;

/// <summary>How far apart two names are, to find the one meant by a mistyped name. Pure.</summary>
internal static class Spelling
{
    /// <summary>
    /// The number of edits between the two: an extra character, a missing one, a different one, or two neighbours swapped. Ignores case.
    /// </summary>
    public static int Distance(string one, string other)
    {
        (one, other) = (one.ToUpperInvariant(), other.ToUpperInvariant());
        int[] before = new int[other.Length + 1], last = [.. Enumerable.Range(0, other.Length + 1)], next = new int[other.Length + 1];
        for (int i = 1; i <= one.Length; i++)
        {
            next[0] = i;
            for (int j = 1; j <= other.Length; j++)
            {
                int exchanged = last[j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1);
                next[j] = Math.Min(exchanged, 1 + Math.Min(last[j], next[j - 1]));
                bool isSwapped = i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1];
                if (isSwapped) next[j] = Math.Min(next[j], before[j - 2] + 1);
            }

            (before, last, next) = (last, next, before);
        }

        return last[other.Length];
    }

    /// <summary>
    /// The nearest of <paramref name="known"/>; of several, the first. If none is near, one that starts with the name, preferably one in
    /// the section of that name.
    /// </summary>
    public static string Nearest(string name, IReadOnlyCollection<string> known) =>
        NearMiss(name, known)
        ?? known.FirstOrDefault(candidate => candidate.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))
        ?? known.FirstOrDefault(candidate => candidate.StartsWith(name, StringComparison.OrdinalIgnoreCase))
        ?? known.MinBy(candidate => Distance(name, candidate))!;

    /// <summary>The nearest if it is at most two edits away and is not the name itself; otherwise null.</summary>
    public static string? NearMiss(string name, IReadOnlyCollection<string> known)
    {
        string? nearest = known.Where(candidate => Math.Abs(candidate.Length - name.Length) <= 2)
            .MinBy(candidate => Distance(name, candidate));
        return nearest is not null && Distance(name, nearest) is 1 or 2 ? nearest : null;
    }
}
