using CsCheck;

namespace RedisSession.Provider.Tests;

/// <summary>Session keys of every kind: empty, any number of @ in front, our own names, all of Unicode.</summary>
internal static class SessionKeys
{
    // All but the surrogates, which are no text by themselves.
    private static readonly Gen<string> Character =
        Gen.OneOf(Gen.Int[0, 0xD7FF], Gen.Int[0xE000, 0x10FFFF]).Select(rune => new Rune(rune).ToString());

    private static readonly Gen<string> Text = Gen.Frequency(
        (4, Gen.OneOf("", "gen", "created", "user", "a", "b", "cart")),
        (1, Character.Array[0, 8].Select(string.Concat)));

    public static Gen<string> Any { get; } = Gen.Select(Gen.Int[0, 3], Text, (ats, text) => new string('@', ats) + text);
}
