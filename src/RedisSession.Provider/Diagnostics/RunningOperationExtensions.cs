using System.Runtime.ExceptionServices;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// Extensions for an operation that may be null because nobody listens: then each is a no-op that allocates nothing. C#'s order of
/// evaluation begins the operation before the command is sent:
/// <code>await Begin(kind).Follow(SendAsync())</code>
/// Do not keep an operation in a local variable across an await: that would enlarge every state machine.
/// </summary>
internal static class RunningOperationExtensions
{
    public static Task<T> Follow<T>(this RunningOperation? operation, Task<T> reply)
    {
        if (operation is null) return reply;
        operation.Leave();
        return FollowAsync(operation, reply);
    }

    /// <summary>The same for a confirmation, which does not fail but returns the failure.</summary>
    public static Task<ExceptionDispatchInfo?> Follow(this RunningOperation? operation, Task<ExceptionDispatchInfo?> confirmation)
    {
        if (operation is null) return confirmation;
        operation.Leave();
        return FollowAsync(operation, confirmation);
    }

    /// <summary>Records the <paramref name="arguments"/> that are about to be sent.</summary>
    public static RedisValue[] Sends(this RunningOperation? operation, RedisValue[] arguments)
    {
        operation?.NoteArguments(arguments);
        return arguments;
    }

    private static async Task<T> FollowAsync<T>(RunningOperation operation, Task<T> reply)
    {
        try
        {
            var answer = await reply.ConfigureAwait(false);
            operation.Succeeded(answer);
            return answer;
        }
        catch (Exception error)
        {
            operation.Failed(error);
            throw;
        }
    }

    private static async Task<ExceptionDispatchInfo?> FollowAsync(RunningOperation operation, Task<ExceptionDispatchInfo?> confirmation)
    {
        var failure = await confirmation.ConfigureAwait(false);
        if (failure is null) operation.Succeeded(true);
        else operation.Failed(failure.SourceException);
        return failure;
    }
}
