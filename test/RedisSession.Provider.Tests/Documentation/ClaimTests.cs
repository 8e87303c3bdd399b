using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace RedisSession.Provider.Tests;

/// <summary>What documents say of the code is so, as far as the code can be asked.</summary>
internal sealed partial class ClaimTests
{
    private const int LinesOfOneSitting = 200;

    // Each answers one question, and begins with code that does.
    private static readonly string[] Reference =
    [
        "atomic-changes", "cache", "dashboard", "events", "exclusive-sessions", "outages", "pipeline", "reading-and-writing", "settings",
        "sign-in-and-users", "testing",
    ];

    private static readonly MarkdownDocument Readme = MarkdownDocument.Of("README.md");
    private static readonly MarkdownDocument Settings = MarkdownDocument.Of("docs/settings.md");
    private static readonly MarkdownDocument Design = MarkdownDocument.Of("docs/design.md");
    private static readonly MarkdownDocument Operating = MarkdownDocument.Of("docs/operating.md");

    [TestCaseSource(typeof(MarkdownDocument), nameof(MarkdownDocument.All))]
    public void Every_test_that_is_named_exists(MarkdownDocument document) =>
        Assert.That(document.InlineCodes.Where(IsMissing).Select(name => $"{document.Name}: {name}"), Is.Empty);

    [TestCase("ClaimTests", false), TestCase("NoSuchTests", true)]
    [TestCase("ClaimTests.Every_test_that_is_named_exists", false)]
    [TestCase("ClaimTests.Every_test_that_is", true)]
    [TestCase("SharedServersLifetime.No_such_thing", true)]
    [TestCase("options.KeyPrefix", false)]
    public void A_test_that_there_is_not_is_told(string name, bool isMissing) => Assert.That(IsMissing(name), Is.EqualTo(isMissing));

    [Test]
    public void Every_promise_names_what_proves_it()
    {
        string promises = MarkdownDocument.Of("docs/guarantees.md").Text;
        string[] each = [.. promises.Split("\n\n").Where(paragraph => paragraph.StartsWith("**", StringComparison.Ordinal))];
        Assert.That(each, Has.Length.GreaterThan(15));
        Assert.That(each, Is.All.Match("(?m)^- `\\w+Tests[.`]"));
    }

    [Test]
    public void Every_script_is_in_the_design_and_no_other()
    {
        var scripts = from type in typeof(RedisHashSessionOptions).Assembly.GetTypes()
                      from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
                      where field.FieldType == typeof(RedisScript)
                      select $"{type.Name}.{field.Name}";
        Assert.That(RowsOf(Design, @"\w+Scripts?\.\w+"), Is.EquivalentTo(scripts));
    }

    [TestCase(typeof(Log), "docs/operating.md")]
    [TestCase(typeof(Dashboard.Log), "docs/dashboard.md")]
    public void Every_log_event_is_in_the_table_with_its_level_and_no_other(Type log, string document)
    {
        var events = from method in log.GetMethods(BindingFlags.Static | BindingFlags.Public)
                     let message = method.GetCustomAttribute<LoggerMessageAttribute>()
                     where message is not null
                     select $"{message.EventId} | {message.Level}";
        var rows = LogRow().Matches(MarkdownDocument.Of(document).Text).Select(row => $"{row.Groups["id"].Value} | {row.Groups["level"].Value}");
        Assert.That(rows, Is.EquivalentTo(events));
    }

    [Test]
    public void Every_metric_is_in_the_table_and_no_other()
    {
        var metrics = from field in typeof(SessionMetrics).GetFields(BindingFlags.Static | BindingFlags.Public)
                      let name = field.GetRawConstantValue() as string
                      where name?.StartsWith("redis_session.", StringComparison.Ordinal) is true
                      select name;
        int table = Operating.Text.IndexOf("| Metric |", StringComparison.Ordinal);
        Assert.That(Operating.Text[table..].Split("\n\n")[0].Split('\n')[2..].Select(row => row.Split('`')[1]), Is.EquivalentTo(metrics));
    }

    [Test]
    public void Every_option_is_in_the_table_of_settings()
    {
        var options = typeof(RedisHashSessionOptions).GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Where(member => member is PropertyInfo or MethodInfo { IsSpecialName: false })
            .Select(member => member.Name);
        Assert.That(options.Where(name => !Regex.IsMatch(Settings.Text, $@"(?m)^\| `{name}\b")), Is.Empty);
    }

    // Of a filter that selects more tests, the adapter makes none, and says nothing. Ten servers more would not make so many.
    [Test]
    public void A_filter_is_one_however_many_tests_it_selects([Values("plain", "full")] string run) => Assert.That(
        (int)XDocument.Load(Repository.PathOf($"test/{run}.runsettings")).Descendants("AssemblySelectLimit").Single(), Is.EqualTo(1_000_000));

    [Test]
    public void It_is_read_in_one_sitting([Values("README.md", "docs/performance.md")] string document) =>
        Assert.That(MarkdownDocument.Of(document).Text.TrimEnd().Split('\n'), Has.Length.AtMost(LinesOfOneSitting));

    [Test]
    public void The_readme_names_no_test() => Assert.That(Readme.InlineCodes.Where(code => TestName().IsMatch(code)), Is.Empty);

    [Test]
    public void A_page_of_the_reference_begins_with_code_and_the_readme_leads_to_it([ValueSource(nameof(Reference))] string page)
    {
        var document = MarkdownDocument.Of($"docs/{page}.md");
        Assert.That(document.Blocks[0].Language, Is.EqualTo("csharp").Or.EqualTo("diff"));
        int section = document.Text.IndexOf("\n## ", StringComparison.Ordinal);
        int code = document.Text.IndexOf("```", StringComparison.Ordinal);
        Assert.That(code, section < 0 ? Is.Positive : Is.InRange(1, section));
        Assert.That(Readme.Links.Select(link => link.Target), Has.Some.StartsWith(document.Name));
    }

    [Test]
    public void The_rights_are_those_that_are_tested()
    {
        var blocks = Operating.Blocks.Where(block => block.Content[0].StartsWith("ACL ", StringComparison.Ordinal)).Select(RightsIn).ToArray();
        Assert.That(blocks, Has.Length.EqualTo(3));
        Assert.That(blocks[0], Is.EquivalentTo(AclTests.Rights));
        Assert.That(blocks[1], Is.EquivalentTo(AclTests.RightsWithoutFieldExpiry));
        Assert.That(blocks[2], Is.EquivalentTo(AclTests.LifecycleRights));

        string cache = Operating.InlineCodes.Single(code => code.StartsWith("+@connection", StringComparison.Ordinal));
        Assert.That(cache.Split(' '), Is.EquivalentTo(CacheAclTests.Rights.Where(right => right.StartsWith('+'))));
    }

    /// <summary>What a block of ACL commands gives: keys, channels, commands.</summary>
    private static IEnumerable<string> RightsIn(MarkdownBlock block) =>
        block.Content.SelectMany(line => line.Split(' ')).Where(word => word[0] is '~' or '&' or '+');

    private static IEnumerable<string> RowsOf(MarkdownDocument document, string pattern) =>
        Regex.Matches(document.Text, $"(?m)^\\| `(?<name>{pattern})` \\|").Select(row => row.Groups["name"].Value);

    /// <summary>Whether this is the name of a test, and there is none of that name.</summary>
    private static bool IsMissing(string code)
    {
        if (TestName().Match(code) is not { Success: true } name) return false;
        if (!Repository.TestSources.TryGetValue(name.Groups["class"].Value, out string? source)) return true;
        return name.Groups["method"] is { Success: true } method && !source.Contains($" {method.Value}(", StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^(?<class>[A-Z]\w+Tests)$|^(?<class>[A-Z]\w+)\.(?<method>[A-Z]\w*_\w+)$")]
    private static partial Regex TestName();

    [GeneratedRegex(@"^\| (?<id>\d+) \| (?<level>\w+) \|", RegexOptions.Multiline)]
    private static partial Regex LogRow();
}
