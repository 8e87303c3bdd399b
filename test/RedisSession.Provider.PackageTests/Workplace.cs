namespace RedisSession.Provider.Tests.Packaging;

/// <summary>Folders outside of the repository, gone after the run, and so is what the run has put into NuGet's own.</summary>
[SetUpFixture]
internal sealed class Workplace
{
    private static readonly DirectoryInfo Root = Directory.CreateTempSubdirectory("redis-session-package-");

    public static string NewFolder(string name) => Root.CreateSubdirectory(name).FullName;

    [OneTimeTearDown]
    public async Task Leave_nothing()
    {
        Root.Delete(recursive: true);
        string cache = await GlobalPackagesAsync();
        foreach (string id in Packed.Ids)
        {
            // NuGet's folders are in lower case.
            var restored = new DirectoryInfo(Path.Combine(cache, id.ToLowerInvariant(), Packed.Version));
            if (!restored.Exists) continue;
            restored.Delete(recursive: true);
            if (!restored.Parent!.EnumerateFileSystemInfos().Any()) restored.Parent.Delete();
        }
    }

    private static async Task<string> GlobalPackagesAsync()
    {
        const string answer = "global-packages: ";
        string said = await DotNet.RunAsync("nuget", "locals", "global-packages", "--list");
        int start = said.IndexOf(answer, StringComparison.Ordinal);
        if (start < 0) throw new InvalidOperationException($"NuGet does not say where it keeps packages: {said}");
        return said[(start + answer.Length)..].Trim();
    }
}
