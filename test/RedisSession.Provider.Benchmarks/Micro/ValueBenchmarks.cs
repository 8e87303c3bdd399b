using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace RedisSession.Provider.Benchmarks;

/// <summary>Typed reads and writes of values.</summary>
public class ValueBenchmarks
{
    private static readonly JsonTypeInfo<Cart> CartType = (JsonTypeInfo<Cart>)JsonSerializerOptions.Web.GetTypeInfo(typeof(Cart));

    private readonly int _plainNumber = 1234567;
    private readonly Cart _cart = new() { Id = 17, Items = ["tea", "milk", "sugar"] };
    private readonly SessionValue _text = new("a name of some length"u8.ToArray());
    private readonly SessionValue _number = new("1234567"u8.ToArray());
    private readonly SessionValue _builtInNumber = new([0, 0, 1, 2]); // as SetInt32 writes it
    private readonly SessionValue _true = new("True"u8.ToArray());
    private readonly SessionValue _date = new("2026-01-02T03:04:05.0000000+00:00"u8.ToArray());
    private readonly SessionValue _json = new("""{"id":17,"items":["tea","milk","sugar"]}"""u8.ToArray());

    [Benchmark]
    public string Text() => _text.Str;

    [Benchmark]
    public int Number() => _number.Int;

    [Benchmark]
    public int NumberOfSetInt32() => _builtInNumber.Int;

    [Benchmark]
    public int NumberOfText() => _text.Int;

    [Benchmark]
    public bool Flag() => _true.Bool;

    [Benchmark]
    public DateTimeOffset Date() => _date.As(default(DateTimeOffset));

    [Benchmark]
    public JsonNode Json() => _json.Json();

    [Benchmark]
    public object JsonAsType() => _json.Json<Cart>();

    [Benchmark]
    public object JsonAsTypeInfo() => _json.Json(CartType);

    [Benchmark]
    public byte[] EncodeNumber() => SessionText.Encode(_plainNumber);

    [Benchmark]
    public byte[] EncodeJson() => SessionJson.Encode(_cart);

    internal sealed class Cart
    {
        public int Id { get; set; }

        public List<string> Items { get; set; } = [];
    }
}
