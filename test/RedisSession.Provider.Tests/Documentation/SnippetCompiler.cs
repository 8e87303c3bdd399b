using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace RedisSession.Provider.Tests;

/// <summary>Compiles pieces of C#, against what the tests themselves run with.</summary>
internal static class SnippetCompiler
{
    private static readonly CSharpParseOptions Language = new(LanguageVersion.CSharp14);

    private static readonly Lazy<IReadOnlyList<MetadataReference>> References = new(() =>
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Select(path => MetadataReference.CreateFromFile(path))]);

    private static readonly Lazy<ISourceGenerator> JsonGenerator = new(() =>
    {
        string path = Path.Combine(AppContext.BaseDirectory, "generators", "System.Text.Json.SourceGeneration.dll");
        var type = Assembly.LoadFrom(path).GetType("System.Text.Json.SourceGeneration.JsonSourceGenerator", throwOnError: true)!;
        return ((IIncrementalGenerator)Activator.CreateInstance(type)!).AsSourceGenerator();
    });

    private const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    // Of no interest in an example: a variable or a function that is declared and not used. And, as in every project of the SDK, that an
    // assembly was compiled against an older version of another.
    private static readonly string[] Tolerated = ["CS0168", "CS0219", "CS8321", "CS1701", "CS1702"];

    /// <summary>The compiler's errors and warnings about one piece of a document, with their lines in that; it has the others.</summary>
    public static IReadOnlyList<string> FindErrors(string code, string document, int firstLine, IEnumerable<string> others)
    {
        var piece = Parse(code);
        var (_, diagnostics) = Compile(piece, others);
        return
        [
            .. from found in diagnostics
               where found.Severity >= DiagnosticSeverity.Warning && !Tolerated.Contains(found.Id)
               where found.Location.SourceTree is null || found.Location.SourceTree == piece || found.Severity == DiagnosticSeverity.Error
               select Describe(found),
        ];

        string Describe(Diagnostic found)
        {
            string where = found.Location.SourceTree == piece
                ? $"{document}:{firstLine + found.Location.GetLineSpan().StartLinePosition.Line}"
                : $"{document}:{firstLine}, in another piece or the frame";
            return $"{where}: {found.Id}: {found.GetMessage(System.Globalization.CultureInfo.InvariantCulture)}";
        }
    }

    /// <summary>True for a piece with statements, as in Program.cs.</summary>
    public static bool CanBeRun(string code) => Members(Parse(code)).OfType<GlobalStatementSyntax>().Any();

    /// <summary>One piece, ready to be run by its entry point, in an assembly of its own.</summary>
    public static Assembly Load(string code, IEnumerable<string> others)
    {
        using var image = new MemoryStream();
        var emitted = Compile(Parse(code), others).Compilation.Emit(image);
        if (!emitted.Success) throw new InvalidOperationException(string.Join('\n', emitted.Diagnostics));
        return Assembly.Load(image.ToArray());
    }

    private static (Compilation Compilation, IEnumerable<Diagnostic> Diagnostics) Compile(SyntaxTree piece, IEnumerable<string> others)
    {
        var declared = NamesIn(piece).ToHashSet(StringComparer.Ordinal);
        var trees = new List<SyntaxTree> { piece };
        foreach (string other in others.Append(SnippetFrame.Source))
        {
            var types = WithoutStatementsAnd(declared, Parse(other));
            declared.UnionWith(NamesIn(types));
            trees.Add(types);
        }

        var kind = Members(piece).OfType<GlobalStatementSyntax>().Any() ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary;
        var options = new CSharpCompilationOptions(kind, nullableContextOptions: NullableContextOptions.Enable);
        var compilation = CSharpCompilation.Create($"Snippet{Guid.NewGuid():N}", trees, References.Value, options);
        CSharpGeneratorDriver.Create([JsonGenerator.Value], parseOptions: Language)
            .RunGeneratorsAndUpdateCompilation(compilation, out var generated, out var complaints);
        return (generated, generated.GetDiagnostics().Concat(complaints));
    }

    /// <summary>The tree of one file of a project.</summary>
    public static SyntaxTree Parse(string code, string path = "") => CSharpSyntaxTree.ParseText(code, Language, path);

    /// <summary>
    /// The files of a project with the usings of the SDK, to ask what their names mean, <paramref name="except"/> for its own assembly.
    /// </summary>
    public static CSharpCompilation Compile(IEnumerable<SyntaxTree> files, string except)
    {
        var references = References.Value.Where(reference => Path.GetFileNameWithoutExtension(reference.Display) != except);
        var options = new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable);
        return CSharpCompilation.Create(except, files.Append(Parse(ImplicitUsings)), references, options);
    }

    private static SyntaxList<MemberDeclarationSyntax> Members(SyntaxTree tree) => tree.GetCompilationUnitRoot().Members;

    private static IEnumerable<string> NamesIn(SyntaxTree tree) =>
        Members(tree).OfType<BaseTypeDeclarationSyntax>().Select(type => type.Identifier.Text);

    private static SyntaxTree WithoutStatementsAnd(HashSet<string> known, SyntaxTree tree)
    {
        var kept = Members(tree).Where(member => member is BaseTypeDeclarationSyntax type && !known.Contains(type.Identifier.Text));
        return CSharpSyntaxTree.Create(tree.GetCompilationUnitRoot().WithMembers(SyntaxFactory.List(kept)), Language);
    }
}
