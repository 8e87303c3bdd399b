using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace RedisSession.Provider;

/// <summary>
/// The request being served, for sessions under SessionMiddleware, which does not pass it on. Recorded where the pipeline begins.
/// </summary>
/// <remarks>
/// <see cref="IHttpContextAccessor"/> is meant for this. But an application that has one gets a new HttpContext for each request instead of
/// a pooled one, which costs every request 390 bytes more; this costs 190. If the application has an accessor, the accessor wins: it
/// also knows of requests made inside others.
/// </remarks>
internal sealed class CurrentRequest(IServiceProvider services, ILogger<RedisHashSession> logger)
    : IStartupFilter, ICallingRequest
{
    private readonly AsyncLocal<RequestHolder?> _holder = new();
    private readonly IHttpContextAccessor? _accessor = services.GetService<IHttpContextAccessor>();
    private bool _isInPipeline;
    private int _isToldMissing;

    /// <summary>Null if there is no request, or no longer one.</summary>
    public RequestHolder? Find()
    {
        var holder = _holder.Value;
        if (_accessor?.HttpContext is { } context) return holder?.Context == context ? holder : new(context);
        bool isMissing = holder is null && !_isInPipeline && _accessor is null;
        if (isMissing && Interlocked.Exchange(ref _isToldMissing, 1) == 0) logger.RequestUnknown();
        return holder?.Context is null ? null : holder;
    }

    string? ICallingRequest.SessionId
    {
        get
        {
            try
            {
                var features = (_accessor?.HttpContext ?? _holder.Value?.Context)?.Features;
                return (features?.Get<ISessionFeature>()?.Session as RedisHashSession)?.Id; // another's could have to be loaded first
            }
            catch (ObjectDisposedException)
            {
                return null; // it ends at this very moment: who asks only runs on behind it
            }
        }
    }

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        _isInPipeline = true;
        app.Use(next => context =>
        {
            var holder = new RequestHolder(context);
            _holder.Value = holder;
            context.Response.OnCompleted(
                static holder =>
                {
                    ((RequestHolder)holder).Context = null;
                    return Task.CompletedTask;
                },
                holder);
            return holder.CallAsync(next);
        });
        next(app);
    };
}
