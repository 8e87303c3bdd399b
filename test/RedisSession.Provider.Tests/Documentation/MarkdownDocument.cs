using Markdig;
using Markdig.Extensions.AutoIdentifiers;
using Markdig.Renderers.Html;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace RedisSession.Provider.Tests;

/// <summary>What there is in a document that can be true or false: code, links, headings.</summary>
internal sealed class MarkdownDocument
{
    private static readonly MarkdownPipeline GitHub = new MarkdownPipelineBuilder()
        .UseAutoIdentifiers(AutoIdentifierOptions.GitHub).UsePipeTables().UsePreciseSourceLocation().Build();

    private MarkdownDocument(string name)
    {
        Name = name;
        Text = File.ReadAllText(Repository.PathOf(name)).ReplaceLineEndings("\n");
        var parsed = Markdown.Parse(Text, GitHub);
        Blocks = [.. parsed.Descendants<FencedCodeBlock>().Select(block => MarkdownBlock.Of(name, block))];
        Links = [.. parsed.Descendants<LinkInline>().Select(link => (link.Line + 1, link.Url!))];
        InlineCodes = [.. parsed.Descendants<CodeInline>().Select(code => code.Content)];
        Anchors = parsed.Descendants<HeadingBlock>().Select(heading => heading.GetAttributes().Id!).ToHashSet(StringComparer.Ordinal);
    }

    public static IReadOnlyList<MarkdownDocument> All { get; } = [.. Repository.Documents.Select(name => new MarkdownDocument(name))];

    public string Name { get; }

    public string Text { get; }

    public IReadOnlyList<MarkdownBlock> Blocks { get; }

    public IReadOnlyList<(int Line, string Target)> Links { get; }

    /// <summary>What stands between backticks.</summary>
    public IReadOnlyList<string> InlineCodes { get; }

    /// <summary>What a link to a heading ends with, as GitHub makes it.</summary>
    public IReadOnlySet<string> Anchors { get; }

    public static MarkdownDocument Of(string name) => All.Single(document => document.Name == name);

    public override string ToString() => Name;
}

/// <summary>A fenced block of a document.</summary>
/// <param name="Document">The document's path from the root of the working copy.</param>
/// <param name="Fence">The line of the opening fence; the first line of the content is the next.</param>
/// <param name="Language">What stands behind the fence; empty for nothing.</param>
/// <param name="Content">The lines between the fences, without the indentation that the fences have.</param>
internal sealed record MarkdownBlock(string Document, int Fence, string Language, IReadOnlyList<string> Content)
{
    public static MarkdownBlock Of(string document, FencedCodeBlock block) =>
        new(document, block.Line + 1, block.Info ?? "", block.Lines.ToString().Split('\n'));

    /// <summary>
    /// The C# in it, each line where it is: a diff has two, what was there before (<c>-</c>) and what is there after (<c>+</c>). A line of
    /// nothing but "…" says that there is more.
    /// </summary>
    public string CodeOf(char side) => string.Join('\n', Content.Select(line => Language == "diff" ? InDiff(line, side) : line));

    public override string ToString() => $"{Document}:{Fence + 1}";

    private static string InDiff(string line, char side) => line.Trim() == "…" || line.Length == 0 || (line[0] != side && line[0] != ' ')
        ? ""
        : " " + line[1..];
}
