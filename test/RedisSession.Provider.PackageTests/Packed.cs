namespace RedisSession.Provider.Tests.Packaging;

/// <summary>What <c>dotnet pack</c> makes of this working tree, once for all tests of a run.</summary>
internal static class Packed
{
    private static readonly Lazy<Task> Packing = new(PackAllAsync);

    /// <summary>The projects that become packages, by the names of their folders, which are the ids of the packages.</summary>
    public static IEnumerable<string> Ids =>
        Directory.GetDirectories(Repository.PathOf("src")).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal);

    /// <summary>A version that nobody has, so that no cache can offer another package for it.</summary>
    public static string Version { get; } = $"0.0.1-test.{Guid.NewGuid():N}";

    /// <summary>The folder that serves as a source of packages.</summary>
    public static string Folder { get; } = Workplace.NewFolder("packages");

    public static async Task<NuGetPackage> PackageAsync(string id) => new(await FileAsync(id, "nupkg"));

    public static async Task<NuGetPackage> SymbolsAsync(string id) => new(await FileAsync(id, "snupkg"));

    /// <summary>Returns when all are in <see cref="Folder"/>.</summary>
    public static Task AllAsync() => Packing.Value;

    private static async Task<string> FileAsync(string id, string extension)
    {
        await AllAsync();
        return Path.Combine(Folder, $"{id}.{Version}.{extension}");
    }

    private static async Task PackAllAsync()
    {
        // Apart from what a build has left in the working tree, and yet inside it: paths of other places would stay in the symbols.
        string artifacts = Repository.PathOf($"artifacts/{Version}");
        foreach (string id in Ids)
            await DotNet.BuildAsync(
                "pack", Repository.PathOf($"src/{id}"), "--output", Folder, "--artifacts-path", artifacts,
                $"-p:Version={Version}", "-p:ContinuousIntegrationBuild=true");
        Directory.Delete(artifacts, recursive: true);
    }
}
