namespace Shop;

/// <summary>Who the session belongs to: how often they came, and what they call themselves.</summary>
public sealed class Visitor(ISession session)
{
    public const int MaxNameLength = 40;

    /// <summary>Empty when nobody is signed in. UseRedisHashSession has loaded the session, so this waits for nothing.</summary>
    public string Name => session.GetStr("name");

    /// <summary>
    /// Reads the counter from Redis as it is now and writes it at once, so that the page can show it in Redis. Where the end of the
    /// request is early enough, <c>session.SetValue("visits", session.GetInt("visits") + 1)</c> does it.
    /// </summary>
    public async Task<int> CountVisitAsync()
    {
        int visits = await session.GetIntAsync("visits") + 1;
        await session.SetValueAsync("visits", visits);
        return visits;
    }

    /// <summary>
    /// Takes the name for the truth. This is a sample: a shop would ask for proof. The session gets a new key, so that whoever knew the old
    /// one is not signed in too; the cart comes along.
    /// </summary>
    public static async Task SignInAsync(HttpContext context, string name)
    {
        await context.RenewSessionAsync(user: name);
        context.Session.SetValue("name", name);
    }

    /// <summary>Ends the session: name, counter and cart are gone, whatever is still in flight.</summary>
    public static Task SignOutAsync(HttpContext context) => context.AbandonSessionAsync();
}
