using System.Runtime.ExceptionServices;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// What is done with an operation, be it listened to or null: then each of these does what the line would do without it, and allocates
/// nothing. The operation is begun before what it follows is sent, by the order in which C# evaluates:
/// <code>await Begin(kind).Follow(SendAsync())</code>
/// No local variable should hold one across an await, which would make every state machine larger.
/// </summary>
internal static class RunningOperationExtensions
{
    public static Task<T> Follow<T>(this RunningOperation? operation, Task<T> reply)
    {
        if (operation is null) return reply;
        operation.Leave();
        return FollowAsync(operation, reply);
    }

    /// <summary>The same for a confirmation, which does not fail but says what has failed.</summary>
    public static Task<ExceptionDispatchInfo?> Follow(this RunningOperation? operation, Task<ExceptionDispatchInfo?> confirmation)
    {
        if (operation is null) return confirmation;
        operation.Leave();
        return FollowAsync(operation, confirmation);
    }

    /// <summary>Notes the <paramref name="arguments"/> that are about to be sent.</summary>
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
