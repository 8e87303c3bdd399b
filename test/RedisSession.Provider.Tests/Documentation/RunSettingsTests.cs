using System.Globalization;
using System.Xml.Linq;
using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;

namespace RedisSession.Provider.Tests;

/// <summary>What the settings of the two runs say.</summary>
[TestFixture]
[Parallelizable]
internal sealed class RunSettingsTests
{
    // Ten servers more would not make so many. Of a filter that selects more, the adapter makes none, and says nothing.
    [TestCase("plain")]
    [TestCase("full")]
    public void A_filter_is_one_however_many_tests_it_selects(string run)
    {
        var settings = XDocument.Load(Repository.PathOf($"test/{run}.runsettings"));
        string? limit = settings.Descendants("AssemblySelectLimit").SingleOrDefault()?.Value;
        Assert.That(limit, Is.Not.Null, "by default it is 2000");

        ITest all = TestExecutionContext.CurrentContext.CurrentTest;
        while (all.Parent is { } parent) all = parent;
        Assert.That(int.Parse(limit!, CultureInfo.InvariantCulture), Is.GreaterThan(10 * all.TestCaseCount));
    }
}
