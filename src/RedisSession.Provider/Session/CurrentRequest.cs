using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace RedisSession.Provider;

/// <summary>
/// The request that is being served, for sessions under SessionMiddleware, which does not tell it: noted where the pipeline begins.
/// </summary>
/// <remarks>
/// What <see cref="IHttpContextAccessor"/> is for; but an application that has that gets a new HttpContext for each request in the place of
/// a pooled one, which costs every request 390 bytes more where this costs 60 to 90. Where the application has an accessor, that one has
/// the last word: it also knows of requests that are made inside of others.
/// </remarks>
internal sealed class CurrentRequest(IServiceProvider services, ILogger<RedisHashSession> logger) : IStartupFilter
{
    private readonly AsyncLocal<RequestHolder?> _holder = new();
    private readonly IHttpContextAccessor? _accessor = services.GetService<IHttpContextAccessor>();
    private bool _isInPipeline;
    private int _isToldMissing;

    /// <summary>Null where there is none, or none any more.</summary>
    public RequestHolder? Find()
    {
        var holder = _holder.Value;
        if (_accessor?.HttpContext is { } context) return holder?.Context == context ? holder : new(context);
        bool isMissing = holder is null && !_isInPipeline && _accessor is null;
        if (isMissing && Interlocked.Exchange(ref _isToldMissing, 1) == 0) logger.RequestUnknown();
        return holder?.Context is null ? null : holder;
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
