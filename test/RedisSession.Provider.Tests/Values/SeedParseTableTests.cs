using System.Numerics;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider.Tests;

[TestFixture]
[Parallelizable]
internal sealed class SeedParseTableTests
{
    private static IEnumerable<SeedParseTable.Row> Rows => SeedParseTable.Rows();

    [TestCaseSource(nameof(Rows))]
    public void Value_reads_as_in_the_original(SeedParseTable.Row row)
    {
        var value = new SessionValue(row.Value);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(value.Str, Is.EqualTo(row.Str));
            Assert.That(new BigInteger(value.Int), Is.EqualTo(row.Int));
            Assert.That(new BigInteger(value.Long), Is.EqualTo(row.Int));
            Assert.That(value.Bool, Is.EqualTo(row.Bool));
            Assert.That(JsonNode.DeepEquals(value.Json(), row.Json), Is.True, $"json is {value.Json().ToJsonString()}");
            Assert.That(value.None, Is.EqualTo(row.None));
        }
    }

    [Test]
    public void Every_row_of_the_table_is_checked()
    {
        var rows = Rows.ToList();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(SeedParseTable.Lines(), Has.Length.EqualTo(26));
            Assert.That(rows, Has.Count.EqualTo(26));
            Assert.That(rows.Select(row => row.Input), Is.Unique);
        }
    }
}
