using System.IO.Compression;
using System.Xml.Linq;

namespace RedisSession.Provider.Tests.Packaging;

/// <summary>A <c>.nupkg</c> or <c>.snupkg</c>, as a reader of the file finds it.</summary>
internal sealed class NuGetPackage(string path)
{
    private readonly Dictionary<string, byte[]> _files = Read(path);

    /// <summary>The names of all files, without those that make it a package (its manifest is one of them).</summary>
    public IEnumerable<string> Files => _files.Keys.Where(name => !IsOfTheFormat(name));

    public byte[] this[string name] => _files[name];

    /// <summary>What its manifest says, element by element.</summary>
    public XElement Metadata
    {
        get
        {
            using var stream = new MemoryStream(_files.Single(file => IsManifest(file.Key)).Value);
            return WithoutNamespaces(XElement.Load(stream)).Element("metadata")!;
        }
    }

    private static Dictionary<string, byte[]> Read(string path)
    {
        using var zip = ZipFile.OpenRead(path);
        return zip.Entries.ToDictionary(entry => entry.FullName, Content);
    }

    private static byte[] Content(ZipArchiveEntry entry)
    {
        using var content = new MemoryStream();
        using var stream = entry.Open();
        stream.CopyTo(content);
        return content.ToArray();
    }

    private static bool IsManifest(string name) => name.EndsWith(".nuspec", StringComparison.Ordinal);

    private static bool IsOfTheFormat(string name) => IsManifest(name)
        || name is "[Content_Types].xml" or "_rels/.rels" || name.StartsWith("package/services/", StringComparison.Ordinal);

    private static XElement WithoutNamespaces(XElement element) => new(
        element.Name.LocalName,
        element.Attributes().Where(attribute => !attribute.IsNamespaceDeclaration),
        element.HasElements ? element.Elements().Select(WithoutNamespaces) : element.Value);
}
