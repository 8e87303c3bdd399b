namespace RedisSession.Provider.Tests;

/// <summary>The working copy that the tests were built from.</summary>
internal static class Repository
{
    private static readonly string[] NotOurs = ["bin", "obj", ".git", "node_modules", "TestResults", "artifacts"];

    public static string Root { get; } = FindRoot();

    /// <summary>All documents, wherever they are, by their path from the root.</summary>
    public static IReadOnlyList<string> Documents { get; } = [.. Files(Root, "*.md").Select(NameOf).Order(StringComparer.Ordinal)];

    /// <summary>The text of all tests, by the name of the class that a file is named after.</summary>
    public static IReadOnlyDictionary<string, string> TestSources { get; } =
        Files(Path.Combine(Root, "test"), "*.cs").ToLookup(Path.GetFileNameWithoutExtension, File.ReadAllText)
            .ToDictionary(file => file.Key!, file => string.Join('\n', file), StringComparer.Ordinal);

    public static string PathOf(string name) => Path.Combine(Root, name);

    public static bool Has(string name) => File.Exists(PathOf(name)) || Directory.Exists(PathOf(name));

    /// <summary>The names of the folders in one.</summary>
    public static IEnumerable<string> FoldersOf(string name) =>
        Directory.EnumerateDirectories(PathOf(name)).Select(folder => Path.GetFileName(folder)!).Except(NotOurs);

    /// <summary>The text of each C# file in a folder and those below it, by its path from there.</summary>
    public static IReadOnlyDictionary<string, string> SourcesOf(string name) =>
        Files(PathOf(name), "*.cs").ToDictionary(
            file => Path.GetRelativePath(PathOf(name), file).Replace('\\', '/'), File.ReadAllText, StringComparer.Ordinal);

    private static string NameOf(string path) => Path.GetRelativePath(Root, path).Replace('\\', '/');

    private static IEnumerable<string> Files(string folder, string pattern) =>
        Directory.EnumerateFiles(folder, pattern).Concat(
            Directory.EnumerateDirectories(folder)
                .Where(inner => !NotOurs.Contains(Path.GetFileName(inner), StringComparer.OrdinalIgnoreCase))
                .SelectMany(inner => Files(inner, pattern)));

    private static string FindRoot()
    {
        string? folder = TestContext.CurrentContext.TestDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "global.json"))) folder = Path.GetDirectoryName(folder);
        return folder ?? throw new DirectoryNotFoundException("The tests run outside of the working copy that they were built from.");
    }
}
