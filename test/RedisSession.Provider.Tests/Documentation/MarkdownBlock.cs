namespace RedisSession.Provider.Tests;

/// <summary>A fenced block of a document.</summary>
/// <param name="Document">The document's path from the root of the working copy.</param>
/// <param name="Fence">The line of the opening fence; the first line of the content is the next.</param>
/// <param name="Language">What stands behind the fence; empty for nothing.</param>
/// <param name="Content">The lines between the fences, without the indentation that the fences have.</param>
internal sealed record MarkdownBlock(string Document, int Fence, string Language, IReadOnlyList<string> Content)
{
    /// <summary>
    /// The C# in it, each line where it is: a diff has two, what was there before (<c>-</c>) and what is there after (<c>+</c>). A line of
    /// nothing but "…" says that there is more.
    /// </summary>
    public string CodeOf(char side) => string.Join('\n', Content.Select(line => Language == "diff" ? InDiff(line, side) : line));

    // As the name of a test.
    public override string ToString() => $"{Document}:{Fence + 1}";

    private static string InDiff(string line, char side) => line.Trim() == "…" || line.Length == 0 || (line[0] != side && line[0] != ' ')
        ? ""
        : " " + line[1..];
}
