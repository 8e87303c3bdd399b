namespace Shop;

/// <summary>The visitor that the session belongs to: how often they visited, and the name they use.</summary>
public sealed class Visitor(ISession session)
{
    public const int MaxNameLength = 40;

    /// <summary>Empty if nobody is signed in. UseRedisHashSession preloads the session for pages that read it like this.</summary>
    public string Name => session.GetStr("name");

    /// <summary>Redis adds one immediately: two tabs at the same moment count as two visits, and the page can show the result.</summary>
    public Task<long> CountVisitAsync() => session.IncrementAsync("visits");

    /// <summary>
    /// Accepts the name without proof. This is a sample: a shop would authenticate the visitor, not least because anyone with a name can
    /// see and end the sessions of that name. The session gets a new key, so that anyone who knew the old one is not signed in too. The
    /// cart is kept.
    /// </summary>
    public static async Task SignInAsync(HttpContext context, string name)
    {
        await context.RenewSessionAsync(user: name);
        context.Session.SetValue("name", name);
    }

    /// <summary>Ends the session: name, counter and cart are gone, even if other requests are still in flight.</summary>
    public static Task SignOutAsync(HttpContext context) => context.AbandonSessionAsync();
}
