namespace RedisSession.Provider.Tests;

/// <summary>Links inside the working copy lead somewhere, and so do the paths that are named.</summary>
internal sealed class LinkTests
{
    private static readonly string[] Folders = ["src/", "test/", "samples/", "docs/", ".ci/"];

    [TestCaseSource(typeof(MarkdownDocument), nameof(MarkdownDocument.All))]
    public void Every_link_leads_somewhere(MarkdownDocument document)
    {
        var broken = from link in document.Links
                     let error = FindError(document, link.Target)
                     where error is not null
                     select $"{document.Name}:{link.Line}: {link.Target}: {error}";
        Assert.That(broken, Is.Empty);
    }

    [TestCaseSource(typeof(MarkdownDocument), nameof(MarkdownDocument.All))]
    public void Every_path_that_is_named_is_there(MarkdownDocument document)
    {
        var missing = from code in document.InlineCodes
                      where Folders.Any(folder => code.StartsWith(folder, StringComparison.Ordinal)) && !code.Any(char.IsWhiteSpace)
                      where !Repository.Has(code)
                      select $"{document.Name}: {code}";
        Assert.That(missing, Is.Empty);
    }

    [TestCase("docs/settings.md#options", null)]
    [TestCase("docs/settings.md#option", "no such heading")]
    [TestCase("#what-hurts-today", null), TestCase("#what-hurts", "no such heading"), TestCase("docs/design.md#in-redis", null)]
    [TestCase("docs/design.md#in-valkey", "no such heading")]
    [TestCase("docs/nothing.md", "no such file"), TestCase("LICENSE", null)]
    [TestCase("https://example.com/#anything", null)]
    public void What_leads_nowhere_is_told(string target, string? error) =>
        Assert.That(FindError(MarkdownDocument.Of("README.md"), target), Is.EqualTo(error));

    private static string? FindError(MarkdownDocument document, string target)
    {
        if (target.Contains("://", StringComparison.Ordinal) || target.StartsWith("mailto:", StringComparison.Ordinal)) return null;
        string[] parts = target.Split('#', 2);
        string folder = Path.GetDirectoryName(document.Name)!;
        string name = parts[0].Length == 0 ? document.Name : Path.GetRelativePath(Repository.Root, Repository.PathOf(Path.Combine(folder, parts[0])));
        if (!Repository.Has(name)) return "no such file";
        if (parts.Length == 1) return null;
        return MarkdownDocument.Of(name.Replace('\\', '/')).Anchors.Contains(parts[1]) ? null : "no such heading";
    }
}
