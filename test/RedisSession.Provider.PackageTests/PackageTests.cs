using System.Buffers.Binary;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace RedisSession.Provider.Tests.Packaging;

[TestFixtureSource(typeof(Packed), nameof(Packed.Ids))]
internal sealed partial class PackageTests(string id)
{
    /// <summary>What each package needs, beside ASP.NET Core itself. A package that is not here has none.</summary>
    private static readonly Dictionary<string, string[]> Dependencies = new()
    {
        ["RedisSession.Provider"] = ["StackExchange.Redis"],
        ["RedisSession.Provider.Dashboard"] = ["RedisSession.Provider"],
    };

    private NuGetPackage _package = null!;

    [OneTimeSetUp]
    public async Task Pack() => _package = await Packed.PackageAsync(id);

    [Test]
    public void It_holds_the_library_and_its_documentation_and_nothing_else()
    {
        string[] expected = ["CHANGELOG.md", "README.md", "icon.png", $"lib/net10.0/{id}.dll", $"lib/net10.0/{id}.xml"];
        Assert.That(_package.Files, Is.EquivalentTo(expected));
    }

    [Test]
    public void It_brings_no_other_package_along()
    {
        var groups = _package.Metadata.Element("dependencies")!.Elements("group").ToArray();
        Assert.That(groups.Select(group => (string?)group.Attribute("targetFramework")), Is.EqualTo(["net10.0"]));
        Assert.That(groups.Elements("dependency").Select(dependency => (string?)dependency.Attribute("id")), Is.EquivalentTo(Dependencies[id]));
    }

    [Test]
    public void It_uses_the_ASPNET_Core_that_is_there()
    {
        var frameworks = _package.Metadata.Descendants("frameworkReference").Select(framework => (string?)framework.Attribute("name"));
        Assert.That(frameworks, Is.EqualTo(["Microsoft.AspNetCore.App"]));
    }

    [Test]
    public void It_says_what_a_gallery_shows()
    {
        var metadata = _package.Metadata;
        Assert.That(Text("id"), Is.EqualTo(id));
        Assert.That(Text("version"), Is.EqualTo(Packed.Version));
        Assert.That(Text("license"), Is.EqualTo("MIT"));
        Assert.That((string?)metadata.Element("license")?.Attribute("type"), Is.EqualTo("expression"));
        Assert.That(Text("icon"), Is.EqualTo("icon.png"));
        Assert.That(Text("readme"), Is.EqualTo("README.md"));
        Assert.That(Text("authors"), Is.Not.EqualTo(id), "NuGet's own default");
        Assert.That(Text("description"), Is.Not.EqualTo("Package Description"), "NuGet's own default");
        Assert.That(Text("tags"), Does.Contain("redis").And.Contain("session"));
        Assert.That(Text("releaseNotes"), Does.Contain("CHANGELOG.md"));
        Assert.That((string?)metadata.Element("repository")?.Attribute("commit"), Does.Match("^[0-9a-f]{40}$"));

        string? Text(string name) => metadata.Element(name)?.Value;
    }

    [Test]
    public void Its_icon_is_a_square_PNG_that_a_gallery_takes()
    {
        byte[] icon = _package["icon.png"];
        Assert.That(icon.Take(8), Is.EqualTo(new byte[] { 0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10 }));
        Assert.That(Number(icon, 16), Is.EqualTo(Number(icon, 20)).And.GreaterThanOrEqualTo(128));
        Assert.That(icon, Has.Length.LessThan(1 << 20));

        static int Number(byte[] png, int offset) => BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(offset));
    }

    [Test]
    public void Its_readme_links_to_nothing_that_is_not_there()
    {
        string readme = Encoding.UTF8.GetString(_package["README.md"]);
        Assert.That(readme, Does.StartWith($"# {id}\n"));
        Assert.That(RelativeLink().Matches(readme).Select(link => link.Value), Is.Empty, "A gallery has no other files to show.");
    }

    [GeneratedRegex(@"\]\((?!https://|#)[^)]*\)")]
    private static partial Regex RelativeLink();
}
