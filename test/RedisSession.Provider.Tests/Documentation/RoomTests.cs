using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace RedisSession.Provider.Tests;

/// <summary>
/// The rooms of the library, which are its folders, use each other in the direction of the table in docs/design.md. What one uses of
/// another is what the compiler binds a name to, so that extension methods and what hides behind a var count too; comments do not.
/// </summary>
internal sealed class RoomTests
{
    private const string Library = "src/RedisSession.Provider";
    private const string Public = "the public types";

    // They are handed what they need, and know nothing of what an application says.
    private static readonly string[] WithoutPublicTypes = ["Redis"];

    // What is not so yet. A line that is no longer needed fails the test.
    private static readonly string[] Exceptions = [];

    private static readonly List<string> Rooms = ReadTable();

    [Test]
    public void The_table_has_every_folder_and_no_other() => Assert.That(Rooms, Is.EquivalentTo(Repository.FoldersOf(Library)));

    [Test]
    public void A_room_uses_only_rooms_below_it()
    {
        var upwards = UsesIn(Repository.SourcesOf(Library)).Where(IsUpwards)
            .ToLookup(use => $"{use.File} uses {RoomOf(use.Declared)}", use => use.Type);
        string all = string.Join('\n', upwards.Select(uses => $"{uses.Key}: {string.Join(", ", uses.Distinct())}"));
        Assert.That(upwards.Select(uses => uses.Key), Is.EquivalentTo(Exceptions), all);
    }

    [TestCase("Redis", "internal class A { B? b; }", true)]
    [TestCase("Redis", "internal class A { void M() { foreach (var b in new System.Collections.Generic.List<object>()) b.Extend(); } }", true)]
    [TestCase("Redis", "internal class A { int M() => Lookup.Default.Number; }", true)]
    [TestCase("Redis", "/// <summary><see cref=\"B\"/></summary>\ninternal class A { /* B */ string M() => \"B\"; }", false)]
    [TestCase("Session", "internal class A { B? b; void M() => b!.Extend(); }", false)]
    [TestCase("Lifecycle", "internal class A { B? b; }", false)]
    [TestCase("Legacy", "internal class A { B? b; }", true)]
    [TestCase("Redis", "internal class A { C? c; }", true)]
    [TestCase("Connection", "internal class A { C? c; }", false)]
    public void A_use_is_told(string room, string code, bool isUpwards)
    {
        const string Lifecycle = """
            internal class B { public int Number; }
            internal static class Lookup { public static B Default => new(); public static void Extend(this object it) { } }
            """;
        const string C = "public class C;";
        var sources = new Dictionary<string, string> { [$"{room}/A.cs"] = code, ["Lifecycle/B.cs"] = Lifecycle, ["C.cs"] = C };
        Assert.That(UsesIn(sources).Any(IsUpwards), Is.EqualTo(isUpwards));
    }

    private static bool IsUpwards(Use use) => (RoomOf(use.File), RoomOf(use.Declared)) switch
    {
        (Public, _) => false,
        (var from, Public) => WithoutPublicTypes.Contains(from),
        var (from, to) => Rooms.IndexOf(to) < Rooms.IndexOf(from),
    };

    private static string RoomOf(string file) => file.IndexOf('/', StringComparison.Ordinal) is > 0 and var end ? file[..end] : Public;

    /// <summary>What each file uses of other files, by what they are called in the library's folder.</summary>
    private static IEnumerable<Use> UsesIn(IReadOnlyDictionary<string, string> sources)
    {
        var trees = sources.ToDictionary(source => source.Key, source => SnippetCompiler.Parse(source.Value, source.Key));
        var compilation = SnippetCompiler.Compile(trees.Values, except: Path.GetFileName(Library));
        return from tree in trees
               let model = compilation.GetSemanticModel(tree.Value)
               from name in tree.Value.GetRoot().DescendantNodes().OfType<SimpleNameSyntax>()
               let type = TypeOf(model.GetSymbolInfo(name).Symbol)
               where type is not null
               from declaration in type.DeclaringSyntaxReferences
               let declared = declaration.SyntaxTree.FilePath
               where declared != tree.Key
               select new Use(tree.Key, declared, type.Name);
    }

    private static INamedTypeSymbol? TypeOf(ISymbol? symbol) => symbol as INamedTypeSymbol ?? symbol?.ContainingType;

    private static List<string> ReadTable()
    {
        string text = MarkdownDocument.Of("docs/design.md").Text;
        string table = text[text.IndexOf("| Folder |", StringComparison.Ordinal)..].Split("\n\n")[0];
        return [.. table.Split('\n')[2..].Select(row => row.Split('`')[1])];
    }

    private sealed record Use(string File, string Declared, string Type);
}
