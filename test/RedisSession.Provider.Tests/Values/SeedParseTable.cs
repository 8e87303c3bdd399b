using System.Numerics;
using System.Text.Json.Nodes;

namespace RedisSession.Provider.Tests;

/// <summary>
/// <c>seed-parse-table.tsv</c>: what redis-session, the Python original, answers for a stored value, and where ours differs.
/// </summary>
internal static class SeedParseTable
{
    private static string FilePath => Path.Combine(TestContext.CurrentContext.TestDirectory, "Values", "seed-parse-table.tsv");

    /// <summary>The lines that are neither comment nor heading, unread.</summary>
    public static string[] Lines() =>
        [.. File.ReadLines(FilePath).Where(line => !line.StartsWith('#') && !line.StartsWith("input\t", StringComparison.Ordinal))];

    public static IEnumerable<Row> Rows() => Lines().Select(Read);

    private static Row Read(string line)
    {
        if (line.Split('\t') is not [var input, var str, var whole, var truth, var json, var none, var ours])
        {
            throw new FormatException($"Not seven columns: {line}");
        }

        bool isThrown = str.StartsWith('!'), isNaN = json == "nan";
        var row = new Row(
            input,
            PythonLiteral.Bytes(input),
            isThrown ? null : PythonLiteral.Text(str),
            PythonLiteral.Integer(whole),
            truth.StartsWith('!') ? null : PythonLiteral.Truth(truth),
            isNaN ? null : PythonLiteral.Json(json),
            PythonLiteral.Truth(none));

        // The column is prose, so each text stands here with its meaning, and a text that is not here is an error.
        return ours switch
        {
            "" => row,
            "int 0 (no digit separators)" or "int 0 (does not fit)" => row with { Int = 0 },
            "bool true (any case of true, and 1)" or "bool true" => row with { Bool = true },
            "json {} (null is no value)" or "json {} (NaN is not JSON)" => row with { Json = new JsonObject() },
            "str with U+FFFD, bool false: never throws" => row with { Str = "\uFFFD\uFFFD", Bool = false },
            _ => throw new FormatException($"The last column says something new: {ours}"),
        };
    }

    /// <summary>What ours answers. Where the table leaves something open (null), the row fails.</summary>
    internal sealed record Row(string Input, byte[]? Value, string? Str, BigInteger Int, bool? Bool, JsonNode? Json, bool None)
    {
        public override string ToString() => Input;
    }
}
