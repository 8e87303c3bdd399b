namespace Shop;

/// <summary>A sentence for the next page of this visitor, and for no other after it.</summary>
public sealed class Notice(ISession session)
{
    private const string Key = "notice";

    public void Leave(string text) => session.SetValue(Key, text);

    /// <summary>
    /// Empty when there is none, without a round trip where UseRedisHashSession has loaded the session. Of two pages at once one gets it.
    /// </summary>
    public async Task<string> TakeAsync() => session.IsNone(Key) ? "" : (await session.TakeAsync(Key)).Str;
}
