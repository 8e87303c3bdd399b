using System.Text.Json;
using System.Xml.Linq;

namespace RedisSession.Provider.Tests;

/// <summary>What the documentation shows works as far as a compiler can say.</summary>
internal sealed class SnippetTests
{
    // Of these commands are checked, by CommandTests; or nothing.
    private static readonly string[] Plain = ["", "text", "sh", "bash", "console", "powershell", "lua", "yaml"];

    // Of these by ExampleTests.
    private const string Requests = "http";

    private static readonly string[] Checked = ["csharp", "diff", "json", "xml"];

    private static IEnumerable<MarkdownBlock> In(string language) =>
        MarkdownDocument.All.SelectMany(document => document.Blocks).Where(block => block.Language == language);

    [TestCaseSource(nameof(In), new object[] { "csharp" })]
    public void Compiles(MarkdownBlock block) => Assert.That(ErrorsIn(block, '+'), Is.Empty);

    [TestCaseSource(nameof(In), new object[] { "diff" })]
    public void Compiles_before_and_after(MarkdownBlock block)
    {
        Assert.That(ErrorsIn(block, '-'), Is.Empty, "before");
        Assert.That(ErrorsIn(block, '+'), Is.Empty, "after");
    }

    [TestCaseSource(nameof(In), new object[] { "json" })]
    public void Is_JSON(MarkdownBlock block) => Assert.That(() => JsonDocument.Parse(block.CodeOf('+')), Throws.Nothing);

    [Test]
    public void XML_is_some()
    {
        foreach (var block in In("xml"))
            Assert.That(() => XElement.Parse($"<fragment>{block.CodeOf('+')}</fragment>"), Throws.Nothing, block.ToString());
    }

    [Test]
    public void No_block_is_in_a_language_that_nobody_checks()
    {
        var unknown = MarkdownDocument.All.SelectMany(document => document.Blocks)
            .Where(block => !Plain.Contains(block.Language) && !Checked.Contains(block.Language) && block.Language != Requests);
        Assert.That(unknown.Select(block => $"{block} is in '{block.Language}'"), Is.Empty);
    }

    /// <summary>Else all of the above would be true of nothing.</summary>
    [Test]
    public void Every_fence_in_a_document_is_that_of_a_block()
    {
        foreach (var document in MarkdownDocument.All)
        {
            int fences = document.Text.Split('\n').Count(line => line.TrimStart().StartsWith("```", StringComparison.Ordinal));
            Assert.That(2 * document.Blocks.Count, Is.EqualTo(fences), document.Name);
        }

        Assert.That(In("csharp").Select(block => block.Document).Distinct(), Does.Contain("README.md"));
        Assert.That(In("diff").Select(block => block.Document).Distinct(), Does.Contain("README.md"));
        Assert.That(In("json").Select(block => block.Document).Distinct(), Does.Contain("docs/settings.md"));
        Assert.That(In("xml").Select(block => block.Document).Distinct(), Does.Contain("README.md"));
    }

    [TestCase("options.KeyPrefixes = \"app:\";", "here.md:7: CS1061")]
    [TestCase("\n\nawait session.GetIntAsync();", "here.md:9: CS7036")]
    [TestCase("string name = session.GetRaw(\"k\");", "here.md:7: CS0029")]
    [TestCase("string name = null;", "here.md:7: CS8600")]
    [TestCase("var cart = new Basket();", "here.md:7: CS0246")]
    [TestCase("class A {", "here.md:7: CS1513")]
    public void What_does_not_compile_is_told_with_its_line(string code, string error) =>
        Assert.That(SnippetCompiler.FindErrors(code, "here.md", firstLine: 7, others: []), Has.Some.StartsWith(error));

    [Test]
    public void A_piece_has_the_types_of_the_others_and_its_own_before_them()
    {
        const string Other = "builder.Services.AddOptions(); internal sealed record Basket(int Count); internal sealed record Cart(int Other);";
        Assert.That(SnippetCompiler.FindErrors("_ = new Basket(1); _ = new Cart(1);", "here.md", 1, [Other]), Is.Empty);
        Assert.That(SnippetCompiler.FindErrors("_ = new Cart(\"own\"); record Cart(string Own);", "here.md", 1, [Other]), Is.Empty);
    }

    private static IReadOnlyList<string> ErrorsIn(MarkdownBlock block, char side)
    {
        var others = In("csharp").Where(other => other.Document == block.Document && other != block).Select(other => other.CodeOf('+'));
        return SnippetCompiler.FindErrors(block.CodeOf(side), block.Document, block.Fence + 1, others);
    }
}
