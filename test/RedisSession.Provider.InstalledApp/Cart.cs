using System.Text.Json;
using System.Text.Json.Serialization;

internal sealed record Cart
{
    public Dictionary<string, int> Items { get; init; } = [];

    public Cart With(string product) => new() { Items = new(Items) { [product] = Items.GetValueOrDefault(product) + 1 } };
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Cart))]
internal sealed partial class AppJson : JsonSerializerContext;
