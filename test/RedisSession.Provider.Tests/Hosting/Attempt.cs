namespace RedisSession.Provider.Tests;

/// <summary>Work that may fail in one way, and in no other.</summary>
internal static class Attempt
{
    /// <summary>False where it ends with a <typeparamref name="TError"/>.</summary>
    public static Task<bool> IsDoneAsync<TError>(Func<Task> work)
        where TError : Exception => IsDoneAsync(work, error => error is TError);

    public static async Task<bool> IsDoneAsync(Func<Task> work, Func<Exception, bool> mayFail)
    {
        try
        {
            await work();
            return true;
        }
        catch (Exception error) when (mayFail(error))
        {
            return false;
        }
    }
}
