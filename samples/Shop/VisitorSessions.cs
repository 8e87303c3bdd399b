using RedisSession.Provider;

namespace Shop;

/// <summary>The sessions of one visitor, in all browsers and on all instances of the shop.</summary>
public sealed class VisitorSessions(IRedisSessionDirectory directory)
{
    public async Task<IReadOnlyList<SessionInfo>> FindAsync(string name) =>
        await directory.FindByUserAsync(name).OrderBy(session => session.Created).ToListAsync();

    /// <summary>
    /// Ends one of the visitor's sessions; false if it is not theirs. The id comes from a form, into which the sender can put any id.
    /// </summary>
    public async Task<bool> EndAsync(string name, string id) =>
        (await directory.GetAsync(id))?.User == name && await directory.EndAsync(id);

    public Task EndOthersAsync(string name, string thisId) => directory.EndAllForUserAsync(name, exceptId: thisId);
}
