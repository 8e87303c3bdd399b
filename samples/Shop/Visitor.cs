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

    /// <summary>Takes the name for the truth. This is a sample: a shop would ask for proof.</summary>
    public void SignIn(string name) => session.SetValue("name", name);

    /// <summary>Forgets everything: name, counter and cart.</summary>
    public void SignOut() => session.Clear();
}
