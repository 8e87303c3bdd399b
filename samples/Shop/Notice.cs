namespace Shop;

/// <summary>A message that this visitor's next page shows once.</summary>
public sealed class Notice(ISession session)
{
    private const string Key = "notice";

    public void Leave(string text) => session.SetValue(Key, text);

    /// <summary>
    /// Empty if there is none, without a round trip if UseRedisHashSession has loaded the session. Of two concurrent pages, one gets it.
    /// </summary>
    public async Task<string> TakeAsync() => session.IsNone(Key) ? "" : (await session.TakeAsync(Key)).Str;
}
