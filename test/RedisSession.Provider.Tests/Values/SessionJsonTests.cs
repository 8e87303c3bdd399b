using System.Runtime.Loader;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace RedisSession.Provider.Tests;

internal sealed class SessionJsonTests
{
    private static readonly Cart Cart = new("Zoë 😀", [new("book", 2), new("<pen>", 1)], 12.30m);
    private static readonly Cart Fallback = new("nobody", [], 0);

    private static readonly string?[] Texts = ["a", null, "é"];
    private static readonly int[] Numbers = [1, 2];

    private static SessionValue Value(string json) => new(Encoding.UTF8.GetBytes(json));

    private static SessionValue WithByteOrderMark(string json) => new([0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(json)]);

    [Test]
    public void Record_without_default_constructor_comes_back_as_it_went_in([Values] bool isSourceGenerated)
    {
        var session = new DictionarySession();
        if (isSourceGenerated) session.SetJson("cart", Cart, CartJson.Default.Cart);
        else session.SetJson("cart", Cart);
        var read = isSourceGenerated ? session.GetJsonOr("cart", Fallback, CartJson.Default.Cart) : session.GetJsonOr("cart", Fallback);
        Assert.That(read with { Lines = Cart.Lines }, Is.EqualTo(Cart));
        Assert.That(read.Lines, Is.EqualTo(Cart.Lines));
    }

    // What an application writes that has no cart to fall back to. As an overload of GetJson this was ambiguous: null is a JsonTypeInfo too.
    [Test]
    public void Fallback_can_be_null()
    {
        var session = new DictionarySession();
        session.SetJson("cart", Cart);
        Assert.That(session.GetJsonOr<Cart?>("absent", null), Is.Null);
        Assert.That(session.GetJsonOr<Cart?>("cart", null), Is.Not.Null);
        Assert.That(default(SessionValue).JsonOr<Cart?>(null), Is.Null);
    }

    [Test]
    public void Stored_json_has_camel_case_names_and_readable_letters()
    {
        var session = new DictionarySession();
        session.SetJson("line", new CartLine("Zoë Ωж語", 1));
        Assert.That(session.GetString("line"), Is.EqualTo("""{"article":"Zoë Ωж語","count":1}"""));
    }

    [Test]
    public void Json_type_info_decides_the_names_itself()
    {
        var session = new DictionarySession();
        session.SetJson("preferences", new Preferences(), CartJson.Default.Preferences);
        Assert.That(session.GetString("preferences"), Is.EqualTo("""{"Theme":"light","WeekStart":1}"""));
    }

    [TestCase("""{"theme":"dark","weekStart":0}""")]
    [TestCase("""{"THEME":"dark","WeekStart":0}""")]
    [TestCase(" \n{\"Theme\":\"dark\",\"weekStart\":0,\"more\":[]}\t")]
    public void Names_are_read_in_any_case(string json)
    {
        var read = Value(json).Json<Preferences>();
        Assert.That((read.Theme, read.WeekStart), Is.EqualTo(("dark", DayOfWeek.Sunday)));
    }

    [Test]
    public void Arrays_come_back_as_they_went_in()
    {
        var session = new DictionarySession();
        session.SetJson("texts", Texts);
        session.SetJson("numbers", Numbers, CartJson.Default.Int32Array);
        Assert.That(session.GetJsonOr<string?[]>("texts", []), Is.EqualTo(Texts));
        Assert.That(session.GetJsonOr("numbers", [], CartJson.Default.Int32Array), Is.EqualTo(Numbers));
        Assert.That(session.GetJson<List<int>>("numbers"), Is.EqualTo(Numbers));
    }

    [Test]
    public void Byte_order_mark_is_no_part_of_the_json()
    {
        Assert.That(WithByteOrderMark("""{"a":1}""").Json()["a"]!.GetValue<int>(), Is.EqualTo(1));
        Assert.That(WithByteOrderMark("""{"theme":"dark"}""").Json<Preferences>().Theme, Is.EqualTo("dark"));
        Assert.That(WithByteOrderMark("""{"Theme":"dark"}""").Json(CartJson.Default.Preferences).Theme, Is.EqualTo("dark"));
        Assert.That(WithByteOrderMark("").Json().ToJsonString(), Is.EqualTo("{}"));
    }

    [Test]
    public void Only_one_byte_order_mark_is_taken_away() =>
        Assert.That(new SessionValue([0xEF, 0xBB, 0xBF, 0xEF, 0xBB, 0xBF, (byte)'1']).Json().ToJsonString(), Is.EqualTo("{}"));

    [TestCase("12", JsonValueKind.Number), TestCase("\"x\"", JsonValueKind.String), TestCase("true", JsonValueKind.True)]
    [TestCase("[1,{}]", JsonValueKind.Array)]
    [TestCase("{\"a\":null}", JsonValueKind.Object)]
    public void Json_is_what_it_stands_there(string json, JsonValueKind kind)
    {
        var node = Value(json).Json();
        Assert.That((node.GetValueKind(), node.ToJsonString()), Is.EqualTo((kind, json)));
    }

    [Test]
    public void What_is_no_json_is_an_empty_object(
        [Values("", " ", "{", "{} {}", "{\"a\":1,}", "{'a':1}", "[1] // comment", "01", "\u00A0{}")] string json)
    {
        var node = Value(json).Json();
        Assert.That(node, Is.TypeOf<JsonObject>());
        Assert.That(node.AsObject(), Is.Empty);
    }

    [Test]
    public void Each_call_gives_a_node_of_its_own()
    {
        var value = Value("not json");
        value.Json()["changed"] = true;
        Assert.That(value.Json().AsObject(), Is.Empty);
    }

    [Test]
    public void Json_of_another_shape_gives_a_new_one(
        [Values("", "null", "[]", "12", """{"theme":12}""", """{"theme":"dark"} x""")] string json) =>
        Assert.That(
            (Value(json).Json<Preferences>().Theme, Value(json).Json(CartJson.Default.Preferences).Theme), Is.EqualTo(("light", "light")));

    [Test]
    public void Json_of_another_shape_gives_the_fallback_itself(
        [Values("", "null", "[]", """{"Owner":1}""", """{"Owner":"a","Lines":{}}""")] string json)
    {
        Assert.That(Value(json).JsonOr(Fallback), Is.SameAs(Fallback));
        Assert.That(Value(json).JsonOr(Fallback, CartJson.Default.Cart), Is.SameAs(Fallback));
    }

    [Test]
    public void Absent_key_gives_the_fallback_whatever_the_type()
    {
        SessionValue absent = default;
        Assert.That(
            (absent.JsonOr(7), absent.JsonOr(DayOfWeek.Friday), absent.Json<Preferences>().Theme),
            Is.EqualTo((7, DayOfWeek.Friday, "light")));
        Assert.That(absent.JsonOr(Fallback), Is.SameAs(Fallback));
        Assert.That(absent.JsonOr(Numbers), Is.SameAs(Numbers));
    }

    [Test]
    public void Json_of_value_types_is_read()
    {
        Assert.That((Value("12").JsonOr(7), Value("12").Json<int>(), Value("null").JsonOr<int?>(7)), Is.EqualTo((12, 12, (int?)7)));
        Assert.That(Value("\"2024-02-29\"").JsonOr(DateOnly.MinValue), Is.EqualTo(new DateOnly(2024, 2, 29)));
    }

    // A value type is never null: what could not be read must not pass for a default that was.
    [Test]
    public void Value_type_that_does_not_parse_gives_the_fallback([Values("x", "", "null", "99999999999")] string json)
    {
        var fallback = new Sku("X", 1);
        Assert.That((Value(json).JsonOr(7), Value(json).JsonOr(DayOfWeek.Friday)), Is.EqualTo((7, DayOfWeek.Friday)));
        Assert.That((Value(json).JsonOr(fallback), Value(json).JsonOr(fallback, CartJson.Default.Sku)), Is.EqualTo((fallback, fallback)));
        Assert.That(Value(json).Json<Counted>().Count, Is.EqualTo(1), "new T()");
    }

    // Here content alone decides whether System.Text.Json throws, and what it throws is no JsonException.
    [Test]
    public void Json_that_a_type_refuses_gives_the_fallback()
    {
        Shape circle = new Circle();
        var money = new Money(5);
        var seven = JsonValue.Create(7);
        Assert.That(Value("""{"radius":1}""").JsonOr(circle), Is.SameAs(circle), "an abstract type without discriminator");
        Assert.That(Value("""{"amount":-1}""").JsonOr(money), Is.SameAs(money), "its constructor throws");
        Assert.That(Value("[{},{}]").Json<SortedSet<Preferences>>(), Is.Empty, "preferences have no order");
        Assert.That(Value("[1]").JsonOr(seven), Is.SameAs(seven), "an array where a single value is asked for");
    }

    // A node reads its names when it is first asked for one; that it was read says little.
    [Test]
    public void Json_with_a_name_twice_can_be_asked_for_it([Values("""{"a":1,"a":2}""", """[{"a":1,"a":2}]""")] string json)
    {
        var node = Value(json).Json();
        Assert.That(() => (node is JsonArray array ? array[0]! : node)["a"]?.ToString(), Is.EqualTo("2").Or.Null);
    }

    // In a run of all tests some other has written before, so this reads with a second copy of the library, which has statics of its own.
    [Test]
    public void First_json_of_a_process_may_be_a_read()
    {
        var fresh = new AssemblyLoadContext(name: null, isCollectible: true);
        var type = fresh.LoadFromAssemblyPath(typeof(SessionValue).Assembly.Location).GetType(typeof(SessionValue).FullName!)!;
        var json = type.GetMethods().Single(
            method => method is { Name: "JsonOr", IsGenericMethod: true } && method.GetParameters() is [{ ParameterType.IsGenericParameter: true }]);
        object value = Activator.CreateInstance(type, "12"u8.ToArray())!;

        Assert.That(json.MakeGenericMethod(typeof(int)).Invoke(value, [7]), Is.EqualTo(12));
        fresh.Unload();
    }

    [Test]
    public void Null_is_stored_as_json_and_read_as_no_value()
    {
        var session = new DictionarySession();
        session.SetJson<Cart?>("cart", null);
        Assert.That(session.GetString("cart"), Is.EqualTo("null"));
        Assert.That(session.GetJsonOr("cart", Fallback), Is.SameAs(Fallback));
        Assert.That(session.IsNone("cart"), Is.False);
    }

    /// <summary>A value type whose <c>new()</c> is not its default.</summary>
    private struct Counted()
    {
        public int Count { get; set; } = 1;
    }

    /// <summary>Read only where the JSON says which shape it is.</summary>
    [JsonPolymorphic]
    [JsonDerivedType(typeof(Circle), "circle")]
    private abstract class Shape;

    private sealed class Circle : Shape;

    private sealed class Money
    {
        public Money(int amount)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(amount);
            Amount = amount;
        }

        public int Amount { get; }
    }
}
