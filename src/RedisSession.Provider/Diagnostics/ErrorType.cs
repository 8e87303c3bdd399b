using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>The class of a failure, as OpenTelemetry's <c>error.type</c> wants it: few values, no message.</summary>
internal static class ErrorType
{
    private const int MaxCodeLength = 32;

    /// <summary>The code that Redis's own reply begins with, such as <c>OOM</c>; else the type of the exception.</summary>
    public static string Of(Exception error)
    {
        // As in ASP.NET Core a timeout of ours is wrapped into a cancellation.
        var original = error is OperationCanceledException { InnerException: TimeoutException timeout } ? timeout : error;
        return CodeOf(original) ?? original.GetType().FullName!;
    }

    /// <summary>The code of an error reply, such as <c>NOPERM</c>; null when <paramref name="error"/> is none.</summary>
    public static string? CodeOf(Exception error)
    {
        if (error is not RedisServerException) return null;
        string message = error.Message;
        int length = message.IndexOf(' ', StringComparison.Ordinal);
        if (length < 0) length = message.Length;

        // By the form of the word: what is not a code is text, and can say anything.
        bool isCode = length is > 0 and <= MaxCodeLength && !message.AsSpan(0, length).ContainsAnyExceptInRange('A', 'Z');
        return isCode ? message[..length] : null;
    }
}
