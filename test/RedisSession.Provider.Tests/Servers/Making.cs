namespace RedisSession.Provider.Tests;

internal static class Making
{
    /// <summary>What <paramref name="next"/> makes of it; where that fails, nothing of it stays.</summary>
    public static async Task<TResult> ThenAsync<T, TResult>(this T made, Func<T, Task<TResult>> next)
        where T : IAsyncDisposable
    {
        try
        {
            return await next(made);
        }
        catch
        {
            await made.DisposeAsync();
            throw;
        }
    }
}
