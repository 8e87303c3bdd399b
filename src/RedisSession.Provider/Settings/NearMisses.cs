using Microsoft.Extensions.Configuration;

namespace RedisSession.Provider;

/// <summary>
/// Names at the root of the configuration that are one or two edits away from one of ours. They may belong to other code, so they are not
/// errors; but we do not read them, and someone who wrote <c>SESSION_EXPIRES</c> should know.
/// </summary>
internal static class NearMisses
{
    /// <param name="root">The whole configuration.</param>
    /// <param name="names">Our names, in the environment and on the command line.</param>
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
            if (string.IsNullOrEmpty(text)) continue; // unset

            // Nested names belong to other code's sections, but SESSION__EXPIRE in the environment becomes nested as well.
            bool isNested = path.Contains(':');
            if (isNested && path.Any(char.IsLower)) continue;
            string name = path.Replace(":", "__", StringComparison.Ordinal);
            bool isOurs = names.Contains(name, StringComparer.OrdinalIgnoreCase);
            if (!isOurs && Spelling.NearMiss(name, names) is { } meant) yield return (name, meant);
        }
    }
}
