namespace RedisSession.Provider.Tests.Packaging;

/// <summary>The application with the package in it, built outside of the repository, each way once for all tests of a run.</summary>
internal sealed class AppBuild
{
    private static readonly Lazy<Task<AppBuild>> JustInTime = new(() => BuildAsync("build"));
    private static readonly Lazy<Task<AppBuild>> AheadOfTime = new(() => BuildAsync("publish", "--use-current-runtime"));

    private AppBuild(string folder) => Folder = folder;

    public string Folder { get; }

    /// <summary>Whether there is code that is yet to be compiled.</summary>
    public bool IsManaged => File.Exists(Path.Combine(Folder, "App.dll"));

    /// <summary>What starts it.</summary>
    public string[] Command => IsManaged ? ["dotnet", Path.Combine(Folder, "App.dll")] : [Path.Combine(Folder, "App")];

    public static Task<AppBuild> GetAsync(Compilation compilation) => (compilation == Compilation.AheadOfTime ? AheadOfTime : JustInTime).Value;

    private static async Task<AppBuild> BuildAsync(string verb, params string[] arguments)
    {
        await Packed.AllAsync();
        string project = Workplace.NewFolder($"{verb}-app");
        foreach (string file in Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "InstalledApp")))
            File.Copy(file, Path.Combine(project, Path.GetFileName(file)));

        string output = Workplace.NewFolder($"{verb}-output");
        await DotNet.BuildAsync(
        [
            verb, project, "--configuration", "Release", "--output", output, .. arguments,
            $"-p:LibraryVersion={Packed.Version}", $"-p:RestoreAdditionalProjectSources={Packed.Folder}",
        ]);
        return new AppBuild(output);
    }
}

/// <summary>When an application becomes machine code.</summary>
internal enum Compilation
{
    /// <summary>While it runs, as usual.</summary>
    JustInTime,

    /// <summary>When it is published, without what nothing refers to (Native AOT).</summary>
    AheadOfTime,
}
