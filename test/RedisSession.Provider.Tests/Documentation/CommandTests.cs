using System.Text.RegularExpressions;

namespace RedisSession.Provider.Tests;

/// <summary>The dotnet commands that documents show name projects, and tests, that there are.</summary>
internal sealed partial class CommandTests
{
    [TestCaseSource(typeof(MarkdownDocument), nameof(MarkdownDocument.All))]
    public void Every_command_names_what_there_is(MarkdownDocument document) =>
        Assert.That(CommandsIn(document).SelectMany(FindErrors).Select(error => $"{document.Name}: {error}"), Is.Empty);

    [TestCase("dotnet run --project samples/Shop -- --session-redis redis://localhost:6379")]
    [TestCase("dotnet run --project samples/Nothing", "samples/Nothing is no project")]
    [TestCase("dotnet run --project samples", "samples is no project")]
    [TestCase("dotnet build test/RedisSession.Provider.Tests")]
    [TestCase("dotnet pack -c Release src/Nothing", "src/Nothing is no project")]
    [TestCase("dotnet test")]
    [TestCase("dotnet test --filter SessionModelTests   # again and again")]
    [TestCase("dotnet test --filter FailoverTests")]
    [TestCase("SESSION_INPUTS=1 dotnet test --filter NoSuchTests", "NoSuchTests filters no test")]
    [TestCase("dotnet test --filter \"FullyQualifiedName~NoSuchTests\"", "NoSuchTests filters no test")]
    public void What_is_not_there_is_told(string command, params string[] errors) => Assert.That(FindErrors(command), Is.EqualTo(errors));

    [Test]
    public void There_are_commands()
    {
        Assert.That(CommandsIn(MarkdownDocument.Of("README.md")).Count(), Is.GreaterThan(5));
        Assert.That(CommandsIn(MarkdownDocument.Of("docs/performance.md")).Count(), Is.GreaterThan(5));
    }

    private static IEnumerable<string> CommandsIn(MarkdownDocument document) =>
        document.Blocks.SelectMany(block => block.Content).Concat(document.InlineCodes)
            .Where(text => text.Contains("dotnet ", StringComparison.Ordinal) || text.Contains("dotnet\n", StringComparison.Ordinal));

    private static IEnumerable<string> FindErrors(string command)
    {
        string[] words = Comment().Replace(command, "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        words = [.. words.SkipWhile(word => word != "dotnet").TakeWhile(word => word != "--")];
        for (int i = 2; i < words.Length; i++)
        {
            bool isProject = words[i - 1] == "--project" || (words[i].Contains('/', StringComparison.Ordinal) && !words[i - 1].StartsWith('-'));
            if (isProject && !IsProject(words[i])) yield return $"{words[i]} is no project";
            if (words[i - 1] == "--filter" && Filtered().Match(words[i]).Value is { Length: > 0 } name && !IsTest(name))
                yield return $"{name} filters no test";
        }
    }

    private static bool IsProject(string path)
    {
        string full = Repository.PathOf(path);
        return File.Exists(full) || (Directory.Exists(full) && Directory.EnumerateFiles(full, "*.csproj").Any());
    }

    private static bool IsTest(string name) => Repository.TestSources.Keys.Any(test => test.Contains(name, StringComparison.Ordinal));

    [GeneratedRegex("(^| )#.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"\w+(?=""?$)")]
    private static partial Regex Filtered();
}
