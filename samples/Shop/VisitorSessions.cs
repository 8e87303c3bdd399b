using RedisSession.Provider;

namespace Shop;

/// <summary>The sessions of one visitor, in all browsers and whichever instance of the shop serves them.</summary>
public sealed class VisitorSessions(IRedisSessionDirectory directory)
{
    public async Task<IReadOnlyList<SessionInfo>> FindAsync(string name) =>
        await directory.FindByUserAsync(name).OrderBy(session => session.Created).ToListAsync();

    /// <summary>
    /// Ends one of them; false when it is none of them. The id comes with a form, and whoever sends one can write any id into it.
    /// </summary>
    public async Task<bool> EndAsync(string name, string id) =>
        (await directory.GetAsync(id))?.User == name && await directory.EndAsync(id);

    public Task EndOthersAsync(string name, string thisId) => directory.EndAllForUserAsync(name, exceptId: thisId);
}
