using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace RedisSession.Provider.Tests.Packaging;

[TestFixtureSource(typeof(Packed), nameof(Packed.Ids))]
internal sealed class SymbolsTests(string id)
{
    // From the specification of portable PDBs.
    private static readonly Guid EmbeddedSource = new("0E8A571B-6926-466E-B4AD-8AB04611F5FE");

    private NuGetPackage _symbols = null!;
    private PEReader _library = null!;
    private MetadataReaderProvider _pdb = null!;

    private MetadataReader Pdb => _pdb.GetMetadataReader();

    [OneTimeSetUp]
    public async Task Pack()
    {
        _symbols = await Packed.SymbolsAsync(id);
        _pdb = MetadataReaderProvider.FromPortablePdbStream(new MemoryStream(_symbols[$"lib/net10.0/{id}.pdb"]));
        _library = new PEReader(new MemoryStream((await Packed.PackageAsync(id))[$"lib/net10.0/{id}.dll"]));
    }

    [OneTimeTearDown]
    public void Close()
    {
        _pdb.Dispose();
        _library.Dispose();
    }

    [Test]
    public void There_are_the_symbols_and_nothing_else() => Assert.That(_symbols.Files, Is.EqualTo([$"lib/net10.0/{id}.pdb"]));

    [Test]
    public void They_are_those_of_the_library()
    {
        var named = _library.ReadDebugDirectory().Single(entry => entry.Type == DebugDirectoryEntryType.CodeView);
        byte[] pdbId = [.. Pdb.DebugMetadataHeader!.Id];
        Assert.That(_library.ReadCodeViewDebugDirectoryData(named).Guid, Is.EqualTo(new Guid(pdbId.AsSpan(0, 16))));
    }

    [Test]
    public void They_hold_every_source_file()
    {
        var without = Pdb.Documents.Where(document => !HasSource(document)).Select(Name);
        Assert.That(Pdb.Documents, Is.Not.Empty);
        Assert.That(without, Is.Empty);
    }

    [Test]
    public void Where_it_was_built_plays_no_part()
    {
        Assert.That(_library.ReadDebugDirectory().Select(entry => entry.Type), Does.Contain(DebugDirectoryEntryType.Reproducible));
        Assert.That(Pdb.Documents.Select(Name), Is.All.StartsWith("/_/"));
    }

    private string Name(DocumentHandle document) => Pdb.GetString(Pdb.GetDocument(document).Name);

    private bool HasSource(DocumentHandle document) => Pdb.GetCustomDebugInformation(document)
        .Select(Pdb.GetCustomDebugInformation).Any(information => Pdb.GetGuid(information.Kind) == EmbeddedSource);
}
