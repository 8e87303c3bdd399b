using System.Text.Json;
using System.Text.Json.Nodes;

namespace RedisSession.Provider.Tests;

/// <summary>
/// <c>seed-parse-table.json</c>: what redis-session, the Python original, answers for a stored value. Where ours differs on purpose it has
/// ours, and the original's answer as Python writes it, or as <c>!</c> and the error.
/// </summary>
internal sealed class SeedParseTableTests
{
    private static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web) { RespectRequiredConstructorParameters = true };

    private static IEnumerable<Row> Rows => JsonSerializer.Deserialize<Row[]>(
        File.ReadAllText(Path.Combine(TestContext.CurrentContext.TestDirectory, "Values", "seed-parse-table.json")), Web)!;

    [TestCaseSource(nameof(Rows))]
    public void Value_reads_as_in_the_original(Row row)
    {
        // Each character of the input is a byte; null is an absent key.
        var value = new SessionValue(row.Input is null ? null : Encoding.Latin1.GetBytes(row.Input));
        Assert.That(
            (value.Str, value.Int, value.Long, value.Bool, value.None), Is.EqualTo((row.Str, row.Int, (long)row.Int, row.Bool, row.None)));
        Assert.That(JsonNode.DeepEquals(value.Json(), row.Json), Is.True, $"json is {value.Json().ToJsonString()}");
    }

    internal sealed record Row(string? Input, string Str, int Int, bool Bool, JsonNode Json, bool None)
    {
        public override string ToString() => JsonSerializer.Serialize(Input);
    }
}
