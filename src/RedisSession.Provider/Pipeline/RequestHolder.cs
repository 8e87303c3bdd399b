using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider;

/// <summary>
/// Holds a request for what may outlive it (a job, a timer), and is emptied at its end: by then its context may serve the next one.
/// </summary>
internal sealed class RequestHolder(HttpContext context)
{
    public HttpContext? Context { get; set; } = context;
}
