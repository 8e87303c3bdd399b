namespace RedisSession.Provider.Tests.Packaging;

/// <summary>The working tree that this test was built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find(new DirectoryInfo(AppContext.BaseDirectory));

    /// <summary>The projects that become packages, by the names of their folders, which are the ids of the packages.</summary>
    public static IEnumerable<string> Packages =>
        Directory.GetDirectories(Path.Combine(Root, "src")).Select(folder => Path.GetFileName(folder)).Order();

    private static string Find(DirectoryInfo? directory)
    {
        while (directory is not null && directory.GetFiles("RedisSession.Provider.sln").Length == 0) directory = directory.Parent;
        return directory?.FullName ?? throw new InvalidOperationException($"{AppContext.BaseDirectory} is not inside the repository.");
    }
}
