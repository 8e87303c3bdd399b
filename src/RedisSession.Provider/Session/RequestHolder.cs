using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider;

/// <summary>
/// Holds a request for what may outlive it (a job, a timer), and is emptied at its end: by then its context may serve the next one.
/// </summary>
internal sealed class RequestHolder(HttpContext context)
{
    private volatile bool _isCallingApplication;

    public HttpContext? Context { get; set; } = context;

    /// <summary>What is behind the session has not returned its task yet.</summary>
    public bool IsCallingApplication => _isCallingApplication;

    public Task CallAsync(RequestDelegate application)
    {
        _isCallingApplication = true;
        try
        {
            return application(Context!);
        }
        finally
        {
            _isCallingApplication = false;
        }
    }
}
