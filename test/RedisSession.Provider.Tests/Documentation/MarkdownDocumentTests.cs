namespace RedisSession.Provider.Tests;

/// <summary>How documents are read, for the tests that go by it.</summary>
[TestFixture]
[Parallelizable]
internal sealed class MarkdownDocumentTests
{
    [Test]
    public void A_block_has_its_line_and_language_and_no_indentation()
    {
        var document = MarkdownDocument.Parse("a.md", "1.\n   ```csharp\n   if (x)\n       y();\n   ```\n\n```\nplain\n```\n");
        Assert.That(
            document.Blocks.Select(block => (block.ToString(), block.Language, block.CodeOf('+'))),
            Is.EqualTo([("a.md:3", "csharp", "if (x)\n    y();"), ("a.md:8", "", "plain")]));
    }

    [Test]
    public void A_block_that_does_not_end_is_told() =>
        Assert.That(
            () => MarkdownDocument.Parse("a.md", "text\n```csharp\ncode\n"),
            Throws.InstanceOf<FormatException>().With.Message.Contains("a.md:2"));

    [Test]
    public void A_diff_has_two_sides_with_each_line_where_it_is()
    {
        var block = MarkdownDocument.Parse("a.md", "```diff\n-old();\n+new(\n+    1);\n …\n both();\n```").Blocks.Single();
        Assert.That(block.CodeOf('-').Split('\n'), Is.EqualTo([" old();", "", "", "", " both();"]));
        Assert.That(block.CodeOf('+').Split('\n'), Is.EqualTo(["", " new(", "     1);", "", " both();"]));
    }

    [Test]
    public void Headings_have_the_anchors_that_GitHub_makes()
    {
        var document = MarkdownDocument.Parse(
            "a.md", "# What is `said`, and why?\n## Again\n## Again\n### A [link](b.md) in it\n```\n# no heading\n```");
        Assert.That(document.Anchors, Is.EquivalentTo(["what-is-said-and-why", "again", "again-1", "a-link-in-it"]));
    }

    [Test]
    public void Links_and_inline_code_are_those_of_the_text()
    {
        var document = MarkdownDocument.Parse(
            "a.md", "A [link](b.md#c), `[no](link)` and `dotnet\ntest`.\n```\n[no](link) `no`\n```\n[two](#d) [three](e.md \"title\")");
        Assert.That(document.Links, Is.EqualTo([(1, "b.md#c"), (6, "#d"), (6, "e.md")]));
        Assert.That(document.InlineCodes, Is.EqualTo(["[no](link)", "dotnet\ntest"]));
    }
}
