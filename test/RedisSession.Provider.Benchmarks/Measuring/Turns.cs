namespace RedisSession.Provider.Benchmarks;

internal static class Turns
{
    /// <summary>Another one begins in each turn, so that none always comes after the same one.</summary>
    public static IEnumerable<T> InTurn<T>(this IReadOnlyList<T> all, int turn) => all.Select((_, index) => all[(index + turn) % all.Count]);
}
