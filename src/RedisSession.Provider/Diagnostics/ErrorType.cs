using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>The class of a failure, as OpenTelemetry's <c>error.type</c> requires: few values, no message.</summary>
internal static class ErrorType
{
    private const int MaxCodeLength = 32;

    /// <summary>The code at the start of the Redis error reply, such as <c>OOM</c>; otherwise the type of the exception.</summary>
    public static string Of(Exception error)
    {
        // As in ASP.NET Core, our timeouts are wrapped in a cancellation.
        var original = error is OperationCanceledException { InnerException: TimeoutException timeout } ? timeout : error;
        return CodeOf(original) ?? original.GetType().FullName!;
    }

    /// <summary>The code of an error reply, such as <c>NOPERM</c>; null if <paramref name="error"/> is not an error reply.</summary>
    public static string? CodeOf(Exception error)
    {
        if (error is not RedisServerException) return null;
        string message = error.Message;
        int length = message.IndexOf(' ', StringComparison.Ordinal);
        if (length < 0) length = message.Length;

        // Recognized by its form: anything that is not a code is free text, which can contain anything.
        bool isCode = length is > 0 and <= MaxCodeLength && !message.AsSpan(0, length).ContainsAnyExceptInRange('A', 'Z');
        return isCode ? message[..length] : null;
    }
}
