using Microsoft.Extensions.Configuration;

namespace RedisSession.Provider;

/// <summary>
/// Names at the root of the configuration that are one or two edits from one of ours. They can be somebody else's, so they are no error;
/// but nobody here reads them, and whoever has written <c>SESSION_EXPIRES</c> should know.
/// </summary>
internal static class NearMisses
{
    /// <param name="root">The whole configuration.</param>
    /// <param name="names">Ours, in the environment and on the command line.</param>
    /// <param name="section">Our section.</param>
    public static IEnumerable<(string Name, string Meant)> Of(IConfiguration root, IReadOnlyCollection<string> names, string section)
    {
        foreach (var child in root.GetChildren())
        {
            bool isSection = child.GetChildren().Any();
            if (isSection && Spelling.NearMiss(child.Key, [section]) is { } meant) yield return (child.Key, meant);
        }

        foreach (var (path, text) in root.AsEnumerable())
        {
            if (string.IsNullOrEmpty(text)) continue; // it says nothing

            // What is nested is in sections of others; but SESSION__EXPIRE in the environment comes nested as well.
            bool isNested = path.Contains(':');
            if (isNested && path.Any(char.IsLower)) continue;
            string name = path.Replace(":", "__", StringComparison.Ordinal);
            bool isOurs = names.Contains(name, StringComparer.OrdinalIgnoreCase);
            if (!isOurs && Spelling.NearMiss(name, names) is { } meant) yield return (name, meant);
        }
    }
}
