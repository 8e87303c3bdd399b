namespace RedisSession.Provider.Tests;

/// <summary>How often the tests of renewals try what must never fail: a few times, or as often as SESSION_RENEWALS says.</summary>
internal static class Tries
{
    private static readonly int? Wanted =
        int.TryParse(Environment.GetEnvironmentVariable("SESSION_RENEWALS"), CultureInfo.InvariantCulture, out int tries) ? tries : null;

    /// <summary>Whether somebody wants it thoroughly.</summary>
    public static bool AreMany => Wanted is not null;

    public static int Of(int few) => Wanted ?? few;
}
