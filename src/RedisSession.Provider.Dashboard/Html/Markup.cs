namespace RedisSession.Provider.Dashboard;

/// <summary>
/// A piece of HTML. The way to create it is <c>Markup.Of($"&lt;td&gt;{user}&lt;/td&gt;")</c>: literal text stays as it is, and interpolated
/// values are encoded unless they are already markup.
/// </summary>
internal readonly struct Markup
{
    private readonly string? _html;

    private Markup(string html) => _html = html;

    public static Markup None => default;

    public static Markup Of(MarkupTemplate template) => new(template.ToString());

    /// <summary>Our own text that must not be encoded, such as a style sheet: never external text.</summary>
    public static Markup Trusted(string ours) => new(ours);

    /// <summary>The markup if the condition is true; otherwise nothing, and the markup is not created.</summary>
    public static Markup If(bool condition, Func<Markup> make) => condition ? make() : None;

    /// <summary>The markup for <paramref name="value"/>, or nothing if it is null.</summary>
    public static Markup If<T>(T? value, Func<T, Markup> make)
        where T : class => value is null ? None : make(value);

    public override string ToString() => _html ?? "";
}
