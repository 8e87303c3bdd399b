using System.Globalization;
using System.Security.Cryptography;

namespace Shop;

/// <summary>
/// 10 % off for a code that is valid once, for one minute. The code is a session key that expires by itself, while the rest of the session
/// stays.
/// </summary>
public sealed class Discount(ISession session)
{
    public const int Percent = 10;

    private const string CodeKey = "discount-code";
    private const string GrantedKey = "discount";

    private static readonly TimeSpan CodeLifetime = TimeSpan.FromMinutes(1);

    /// <summary>The code that can be redeemed; empty if there is none, or it has expired or been redeemed.</summary>
    public string Code => session.GetStr(CodeKey);

    public bool IsGranted => session.GetBool(GrantedKey);

    public decimal Of(decimal price) => IsGranted ? Math.Round(price * Percent / 100, 2) : 0;

    /// <summary>
    /// Creates a code, replacing an older one. False if this Redis cannot let a single key expire; then nothing is written.
    /// </summary>
    public async Task<bool> TryMakeCodeAsync()
    {
        string code = RandomNumberGenerator.GetInt32(1_000_000).ToString("D6", CultureInfo.InvariantCulture);
        try
        {
            await session.SetValueAsync(CodeKey, code, expiresIn: CodeLifetime);
            return true;
        }
        catch (NotSupportedException)
        {
            return false;
        }
    }

    /// <summary>
    /// Removes the code from the session, so that only one of many concurrent requests gets it, and nobody can guess codes by trying.
    /// </summary>
    public async Task<bool> RedeemAsync(string code)
    {
        var made = await session.TakeAsync(CodeKey);
        if (made.None || made.Str != code) return false;
        session.SetValue(GrantedKey, true);
        return true;
    }
}
