namespace RedisSession.Provider.Tests;

/// <summary>The form of the environment variables that list servers.</summary>
internal static class SemicolonList
{
    public static string[] Split(string? list) =>
        (list ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
