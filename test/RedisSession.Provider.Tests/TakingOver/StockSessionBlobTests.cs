using CsCheck;
using Microsoft.AspNetCore.Session;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider.Tests;

/// <summary>The blobs are those of the real DistributedSession, and it is the judge: what the parser accepts, it reads the same.</summary>
internal sealed class StockSessionBlobTests
{
    private const string SessionKey = "session key";
    private const int HeaderLength = 20;

    private static readonly Gen<byte[]> Value = Gen.Frequency((8, Gen.Byte.Array[0, 40]), (1, Gen.Byte.Array[1000, 3000]));

    private static readonly Gen<(string Key, byte[] Value)[]> Content = Gen.Select(SessionKeys.Any, Value).Array[0, 8];

    /// <summary>What damages a blob: bytes overwritten, cut out, put in, cut off; most often where the numbers are.</summary>
    private static readonly Gen<Func<byte[], byte[]>> Damage = Gen.OneOf<Func<byte[], byte[]>>(
        Gen.Select(Gen.Int[0, 4000], Gen.Byte).Select<int, byte, Func<byte[], byte[]>>((at, with) => blob => Overwrite(blob, at, with)),
        Gen.Select(Gen.Int[0, 30], Gen.OneOf<byte>(0, 1, 2, 3, 127, 128, 255)).Select<int, byte, Func<byte[], byte[]>>(
            (at, with) => blob => Overwrite(blob, at, with)),
        Gen.Int[0, 4000].Select<int, Func<byte[], byte[]>>(length => blob => blob[..(length % (blob.Length + 1))]),
        Gen.Select(Gen.Int[0, 4000], Gen.Byte.Array[1, 8]).Select<int, byte[], Func<byte[], byte[]>>((at, bytes) => blob =>
            [.. blob[..(at % (blob.Length + 1))], .. bytes, .. blob[(at % (blob.Length + 1))..]]),
        Gen.Select(Gen.Int[0, 4000], Gen.Int[1, 8]).Select<int, int, Func<byte[], byte[]>>((at, count) => blob =>
            [.. blob[..(at % (blob.Length + 1))], .. blob.Skip((at % (blob.Length + 1)) + count)]));

    [Test]
    public void What_stock_wrote_is_read() => Content.Sample(content =>
    {
        Assert.That(StockSessionBlob.TryParse(WriteStock(content), out var parsed), Is.True);
        var expected = new Dictionary<string, byte[]>();
        foreach (var (key, value) in content) expected[key] = value;
        Assert.That(parsed, Is.EquivalentTo(expected));
    });

    [Test]
    public void An_empty_session_is_one()
    {
        byte[] blob = WriteStock([("key", [1])], thenClear: true);
        Assert.That(blob, Has.Length.EqualTo(HeaderLength));
        Assert.That(StockSessionBlob.TryParse(blob, out var parsed), Is.True);
        Assert.That(parsed, Is.Empty);
    }

    [Test]
    public void Many_long_keys_and_large_values_are_read()
    {
        var content = Enumerable.Range(0, 70_000).Select(i => ($"key{i}", BitConverter.GetBytes(i)))
            .Append((new string('k', ushort.MaxValue), new byte[3_000_000])).ToArray();
        Assert.That(StockSessionBlob.TryParse(WriteStock(content), out var parsed), Is.True);
        Assert.That(parsed, Has.Count.EqualTo(70_001));
        Assert.That(parsed![new string('k', ushort.MaxValue)], Has.Length.EqualTo(3_000_000));
        Assert.That(parsed["key69999"], Is.EqualTo(BitConverter.GetBytes(69_999)));
    }

    // Half a surrogate pair is U+FFFD by the time it is written.
    [Test]
    public void Keys_that_are_no_text_come_as_stock_wrote_them()
    {
        Assert.That(StockSessionBlob.TryParse(WriteStock([("a\ud800b", [1])]), out var parsed), Is.True);
        Assert.That(parsed!.Keys, Is.EqualTo(["a\ufffdb"]));
    }

    [Test]
    public void Damaged_blobs_never_throw_and_what_is_accepted_stock_reads_the_same() => Gen.Select(Content, Damage.Array[1, 4]).Sample(
        (content, damages) => RequireStockReadsTheSame(damages.Aggregate(WriteStock(content), (bytes, damage) => damage(bytes))),
        iter: 20_000);

    [Test]
    public void Bytes_of_any_kind_never_throw_and_what_is_accepted_stock_reads_the_same() =>
        Gen.Select(Gen.Byte.Array[0, 60], Gen.Bool).Sample(
            (bytes, looksReal) =>
            {
                if (looksReal && bytes.Length > 3) (bytes[0], bytes[1], bytes[2], bytes[3]) = (2, 0, 0, (byte)(bytes[3] % 4));
                RequireStockReadsTheSame(bytes);
            },
            iter: 20_000);

    [Test]
    public void Every_piece_of_a_blob_is_refused()
    {
        byte[] blob = WriteStock([("first", [1, 2, 3]), ("", []), ("last", new byte[300])]);
        for (int length = 0; length < blob.Length; length++)
        {
            Assert.That(StockSessionBlob.TryParse(blob.AsSpan(0, length), out var parsed), Is.False, $"the first {length} bytes");
            Assert.That(parsed, Is.Null);
        }
    }

    private static IEnumerable<TestCaseData> Damages()
    {
        TestCaseData Case(string name, Func<byte[], byte[]> damage) => new TestCaseData(damage).SetArgDisplayNames(name);
        foreach (byte revision in (byte[])[0, 1, 3, 255]) yield return Case($"revision {revision}", blob => Overwrite(blob, 0, revision));
        yield return Case("more after the last entry", blob => [.. blob, 0]);
        yield return Case("a count one too many", blob => Overwrite(blob, 3, 3));
        yield return Case("a count one too few", blob => Overwrite(blob, 3, 1));
        yield return Case("the greatest count", blob => Overwrite(blob, 1, 0xff, 0xff, 0xff));
        yield return Case("the longest key", blob => Overwrite(blob, HeaderLength, 0xff, 0xff));
        yield return Case("a value of two gigabytes", blob => Overwrite(blob, HeaderLength + 5, 0x7f, 0xff, 0xff, 0xff));
        yield return Case("a value of less than nothing", blob => Overwrite(blob, HeaderLength + 5, 0xff, 0xff, 0xff, 0xff));
        yield return Case("a value of the least number", blob => Overwrite(blob, HeaderLength + 5, 0x80, 0, 0, 0));
        foreach (byte[] key in (byte[][])[[0xff, 0xfe, 0xfd], [0xc0, 0x80, (byte)'k'], [0xed, 0xa0, 0x80]])
            yield return Case($"a key that is no UTF-8: {Convert.ToHexString(key)}", blob => Overwrite(blob, HeaderLength + 2, key));
    }

    [TestCaseSource(nameof(Damages))]
    public void A_damaged_blob_is_refused_and_takes_no_memory(Func<byte[], byte[]> damage)
    {
        byte[] blob = damage(WriteStock([("key", new byte[100]), ("other", [1])]));
        _ = StockSessionBlob.TryParse(blob, out _); // what is compiled or made once is not counted
        long before = GC.GetAllocatedBytesForCurrentThread();
        bool accepted = StockSessionBlob.TryParse(blob, out _);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.That(accepted, Is.False);
        Assert.That(allocated, Is.LessThan(1000));
    }

    private static void RequireStockReadsTheSame(byte[] blob)
    {
        if (!StockSessionBlob.TryParse(blob, out var parsed)) return;
        var cache = NewCache();
        cache.Set(SessionKey, blob, new());
        var stock = StockSession(cache);
        Assert.That(stock.IsAvailable, Is.True, "stock reads it");
        Assert.That(stock.Keys, Is.EquivalentTo(parsed.Keys));
        foreach (var (key, value) in parsed)
        {
            Assert.That(stock.TryGetValue(key, out var expected), Is.True, key);
            Assert.That(value, Is.EqualTo(expected), key);
        }
    }

    /// <summary>The bytes that the real one leaves in its cache.</summary>
    private static byte[] WriteStock((string Key, byte[] Value)[] content, bool thenClear = false)
    {
        var cache = NewCache();
        var session = StockSession(cache);
        foreach (var (key, value) in content) session.Set(key, value);
        if (content.Length == 0) session.Set("", []); // or there would be nothing to write
        if (thenClear || content.Length == 0) session.Clear();
        session.CommitAsync().GetAwaiter().GetResult(); // in memory: done
        return cache.Get(SessionKey)!;
    }

    private static MemoryDistributedCache NewCache() => new(Options.Create(new MemoryDistributedCacheOptions()));

    private static DistributedSession StockSession(IDistributedCache cache) => new(
        cache, SessionKey, idleTimeout: TimeSpan.FromMinutes(20), ioTimeout: TimeSpan.FromMinutes(1), tryEstablishSession: () => true,
        NullLoggerFactory.Instance, isNewSessionKey: false);

    private static byte[] Overwrite(byte[] blob, int at, params byte[] with)
    {
        byte[] copy = [.. blob];
        if (copy.Length > 0) with.CopyTo(copy, Math.Min(at % copy.Length, copy.Length - with.Length));
        return copy;
    }
}
