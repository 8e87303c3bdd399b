using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider;

/// <summary>
/// Holds a request for what may outlive it (a job, a timer). Emptied when the request ends: by then its context may serve the next one.
/// </summary>
internal sealed class RequestHolder(HttpContext context)
{
    private volatile Thread? _caller;

    public HttpContext? Context { get; set; } = context;

    /// <summary>The application behind the session runs and has not returned its task yet. False if it blocks.</summary>
    public bool IsCallingApplication => _caller is { } caller && (caller.ThreadState & ThreadState.WaitSleepJoin) == 0;

    public Task CallAsync(RequestDelegate application)
    {
        _caller = Thread.CurrentThread;
        try
        {
            return application(Context!);
        }
        finally
        {
            _caller = null;
        }
    }
}
