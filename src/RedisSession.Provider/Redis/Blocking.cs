using System.Diagnostics.CodeAnalysis;

namespace RedisSession.Provider;

/// <summary>The one place where a thread waits for Redis: the synchronous members of ISession leave no other way.</summary>
internal static class Blocking
{
    /// <summary>
    /// Waits for <paramref name="reply"/>, which must be a task of the Redis client itself, or of <see cref="Sending"/>: those complete on
    /// the thread that read the reply, while the continuation of an async method would need a pool thread, and there may be none left when all of
    /// them block here.
    /// </summary>
    /// <exception cref="TimeoutException">No reply within <paramref name="timeout"/>.</exception>
    [SuppressMessage("Usage", "SER305:Blocking call", Justification = "ISession is a synchronous API.")]
    public static T Wait<T>(Task<T> reply, TimeSpan timeout)
    {
        SpareThreads.Enter();
        try
        {
            if (!reply.Wait(timeout)) throw new TimeoutException($"Redis did not answer within the IOTimeout of {timeout}.");
        }
        catch (AggregateException)
        {
            // GetResult below throws the reply's own exception.
        }
        finally
        {
            SpareThreads.Leave();
        }

        return reply.GetAwaiter().GetResult();
    }
}
