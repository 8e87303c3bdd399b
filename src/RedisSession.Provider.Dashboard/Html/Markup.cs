namespace RedisSession.Provider.Dashboard;

/// <summary>
/// A piece of HTML. There is one way to make it: <c>Markup.Of($"&lt;td&gt;{user}&lt;/td&gt;")</c>, where what is written in the source
/// stays as it is and what is put in is encoded, unless it is markup already.
/// </summary>
internal readonly struct Markup
{
    private readonly string? _html;

    private Markup(string html) => _html = html;

    public static Markup None => default;

    public static Markup Of(MarkupTemplate template) => new(template.ToString());

    /// <summary>Text of our own that must not be encoded, such as a style sheet: never anything that came from outside.</summary>
    public static Markup Trusted(string ours) => new(ours);

    /// <summary>The piece where it belongs, nothing elsewhere; it is not even made there.</summary>
    public static Markup If(bool condition, Func<Markup> make) => condition ? make() : None;

    /// <summary>The piece of <paramref name="value"/> where there is one.</summary>
    public static Markup If<T>(T? value, Func<T, Markup> make)
        where T : class => value is null ? None : make(value);

    public override string ToString() => _html ?? "";
}
