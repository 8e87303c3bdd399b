using System.Text.RegularExpressions;

namespace RedisSession.Provider.Tests;

/// <summary>What there is in a document that can be true or false: code, links, headings.</summary>
internal sealed partial class MarkdownDocument
{
    private readonly List<MarkdownBlock> _blocks = [];
    private readonly List<(int Line, string Target)> _links = [];
    private readonly HashSet<string> _anchors = new(StringComparer.Ordinal);
    private readonly List<string> _prose = [];

    private MarkdownDocument(string name, string[] lines)
    {
        Name = name;
        Text = string.Join('\n', lines);
        for (int i = 0; i < lines.Length; i++)
        {
            if (Fence().Match(lines[i]) is { Success: true } fence) i = ReadBlock(lines, i, fence);
            else ReadLine(lines[i], i + 1);
        }

        InlineCodes = [.. InlineCode().Matches(string.Join('\n', _prose)).Select(code => code.Value.Trim('`'))];
    }

    public string Name { get; }

    public string Text { get; }

    public IReadOnlyList<MarkdownBlock> Blocks => _blocks;

    public IReadOnlyList<(int Line, string Target)> Links => _links;

    /// <summary>What stands between backticks.</summary>
    public IReadOnlyList<string> InlineCodes { get; }

    /// <summary>What a link to a heading ends with, as GitHub makes it.</summary>
    public IReadOnlySet<string> Anchors => _anchors;

    public static IReadOnlyList<MarkdownDocument> All { get; } = [.. Repository.Documents.Select(Open)];

    public static MarkdownDocument Of(string name) => All.Single(document => document.Name == name);

    /// <exception cref="FormatException">A block does not end.</exception>
    public static MarkdownDocument Parse(string name, string text) => new(name, text.ReplaceLineEndings("\n").Split('\n'));

    // As the name of a test.
    public override string ToString() => Name;

    private static MarkdownDocument Open(string name) => Parse(name, File.ReadAllText(Repository.PathOf(name)));

    private int ReadBlock(string[] lines, int opening, Match fence)
    {
        string indentation = fence.Groups["indentation"].Value;
        int closing = Array.FindIndex(lines, opening + 1, line => line.Trim() == fence.Groups["fence"].Value);
        if (closing < 0) throw new FormatException($"{Name}:{opening + 1}: this block does not end.");
        var content = lines[(opening + 1)..closing]
            .Select(line => line.StartsWith(indentation, StringComparison.Ordinal) ? line[indentation.Length..] : line.TrimStart());
        _blocks.Add(new(Name, opening + 1, fence.Groups["language"].Value, [.. content]));
        return closing;
    }

    private void ReadLine(string line, int number)
    {
        _prose.Add(line);
        if (Heading().Match(line) is { Success: true } heading) AddAnchor(heading.Groups["text"].Value);
        foreach (Match link in Link().Matches(InlineCode().Replace(line, "code"))) _links.Add((number, link.Groups["target"].Value));
    }

    private void AddAnchor(string heading)
    {
        string text = Link().Replace(heading, link => link.Groups["text"].Value);
        string anchor = NotInAnchors().Replace(text.ToLowerInvariant(), "").Replace(' ', '-');
        for (int i = 0; !_anchors.Add(i == 0 ? anchor : $"{anchor}-{i}"); i++)
        {
            // The same heading again is told apart by a number.
        }
    }

    [GeneratedRegex("^(?<indentation> *)(?<fence>`{3,}|~{3,})(?<language>[^ `]*)")]
    private static partial Regex Fence();

    [GeneratedRegex("^#+ (?<text>.*)$")]
    private static partial Regex Heading();

    [GeneratedRegex(@"\[(?<text>[^\]]*)\]\((?<target>[^) ]+)[^)]*\)")]
    private static partial Regex Link();

    [GeneratedRegex("`[^`]+`")]
    private static partial Regex InlineCode();

    [GeneratedRegex(@"[^\p{L}\p{N} _-]")]
    private static partial Regex NotInAnchors();
}
