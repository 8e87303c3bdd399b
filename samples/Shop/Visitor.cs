namespace Shop;

/// <summary>Who the session belongs to: how often they came, and what they call themselves.</summary>
public sealed class Visitor(ISession session)
{
    public const int MaxNameLength = 40;

    /// <summary>Empty when nobody is signed in. UseRedisHashSession loads the session of pages that read like this.</summary>
    public string Name => session.GetStr("name");

    /// <summary>One more, added by Redis and at once: two tabs at the same moment are two visits, and the page can show it there.</summary>
    public Task<long> CountVisitAsync() => session.IncrementAsync("visits");

    /// <summary>
    /// Takes the name for the truth. This is a sample: a shop would ask for proof, not least because who has a name sees the sessions of
    /// that name and can end them. The session gets a new key, so that whoever knew the old one is not signed in too; the cart comes
    /// along.
    /// </summary>
    public static async Task SignInAsync(HttpContext context, string name)
    {
        await context.RenewSessionAsync(user: name);
        context.Session.SetValue("name", name);
    }

    /// <summary>Ends the session: name, counter and cart are gone, whatever is still in flight.</summary>
    public static Task SignOutAsync(HttpContext context) => context.AbandonSessionAsync();
}
