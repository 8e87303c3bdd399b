namespace RedisSession.Provider.Tests;

/// <summary>What the documentation shows runs, in the order in which it stands there, and answers what it says.</summary>
internal sealed class ExampleTests
{
    private static readonly string[] Languages = ["csharp", "diff"];

    private static IEnumerable<MarkdownBlock> Pieces() =>
        MarkdownDocument.All.SelectMany(document => document.Blocks)
            .Where(block => Languages.Contains(block.Language) && SnippetCompiler.CanBeRun(block.CodeOf('+')));

    [TestCaseSource(nameof(Pieces))]
    public async Task Runs(MarkdownBlock piece)
    {
        var blocks = MarkdownDocument.Of(piece.Document).Blocks.ToList();
        var others = blocks.Where(block => block.Language == "csharp" && block != piece).Select(block => block.CodeOf('+'));
        var next = blocks.ElementAtOrDefault(blocks.IndexOf(piece) + 1);
        var server = await TestServers.GetAsync(ServerKind.Garnet);
        await new Example(piece, others, server.ConfigurationString).RunAsync(next?.Language == "http" ? next : null);
    }

    /// <summary>Else their answers would be compared with nothing.</summary>
    [Test]
    public void Requests_stand_behind_what_answers_them()
    {
        foreach (var document in MarkdownDocument.All)
        {
            for (int i = 0; i < document.Blocks.Count; i++)
            {
                if (document.Blocks[i].Language == "http") Assert.That(i > 0 && Pieces().Contains(document.Blocks[i - 1]), document.Name);
            }
        }
    }

    [Test]
    public async Task What_does_not_answer_as_it_says_is_told([Values("GET /name → 200 Ben", "GET /name → 404", "GET /name")] string line)
    {
        var piece = Block("csharp", "app.MapGet(\"/name\", () => \"Ann\");");
        var server = await TestServers.GetAsync(ServerKind.Garnet);
        await Assert.ThatAsync(
            () => new Example(piece, [], server.ConfigurationString).RunAsync(Block("http", line)), Throws.InstanceOf<AssertionException>());
    }

    private static MarkdownBlock Block(string language, string content) => new("here.md", 1, language, [content]);
}
