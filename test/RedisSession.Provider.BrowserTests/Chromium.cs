namespace RedisSession.Provider.BrowserTests;

/// <summary>The browser that this machine has; none is downloaded.</summary>
internal static class Chromium
{
    /// <summary>The environment variable that names the browser's executable, where it is in no usual place.</summary>
    public const string PathVariable = "BROWSER_TEST_CHROMIUM";

    /// <summary>The environment variable that, set to anything, makes a missing browser a failure.</summary>
    public const string RequiredVariable = "BROWSER_TEST_REQUIRED";

    private static readonly string[] UsualNames = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

    /// <summary>Its executable; where there is none, the test is skipped and says why, or fails.</summary>
    public static string FindOrSkip()
    {
        if (Find() is { } path) return path;
        string reason = $"There is no Chromium: install it, or name its executable in {PathVariable}.";
        if (Environment.GetEnvironmentVariable(RequiredVariable) is { Length: > 0 }) Assert.Fail(reason);

        // The error stream too, because it is the one that a plain "dotnet test" shows.
        TestContext.Error.WriteLine($"The browser tests are skipped. {reason}");
        Assert.Ignore(reason);
        throw new InvalidOperationException(reason);
    }

    public static Task<IBrowser> LaunchAsync(this IPlaywright playwright, string path) => playwright.Chromium.LaunchAsync(new()
    {
        ExecutablePath = path,
        Args = Environment.UserName == "root" ? ["--no-sandbox"] : [], // Chromium refuses to make a sandbox for root
    });

    private static string? Find()
    {
        // Whoever names one wants it used: a wrong path must not pass as a machine without browser.
        if (Environment.GetEnvironmentVariable(PathVariable) is { Length: > 0 } named) return named;
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        return UsualNames.SelectMany(name => folders.Select(folder => Path.Combine(folder, name))).FirstOrDefault(File.Exists);
    }
}
