using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
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
internal sealed class CurrentRequest(IServiceProvider services, ILogger<RedisHashSession> logger) : IStartupFilter
{
    private readonly AsyncLocal<RequestHolder?> _holder = new();
    private readonly IHttpContextAccessor? _accessor = services.GetService<IHttpContextAccessor>();
    private bool _isPassedOn;
    private int _stores;
    private int _isToldMissing;

    /// <summary>False if only <c>UseRedisHashSession</c> is known to use sessions: it passes the request on.</summary>
    private bool IsRecorded => !_isPassedOn || Volatile.Read(ref _stores) > 0;

    /// <summary>There is a store, which may have to ask.</summary>
    public CurrentRequest AddStore()
    {
        Interlocked.Increment(ref _stores);
        return this;
    }

    /// <summary>One of the stores does not have to: its middleware passes the request on.</summary>
    public void RemoveStore()
    {
        _isPassedOn = true;
        Interlocked.Decrement(ref _stores);
    }

    /// <summary>Null if there is no request, or no longer one.</summary>
    public RequestHolder? Find()
    {
        var holder = _holder.Value;
        if (_accessor?.HttpContext is { } context) return holder?.Context == context ? holder : new(context);
        bool isMissing = holder is null && _accessor is null;
        if (isMissing && Interlocked.Exchange(ref _isToldMissing, 1) == 0) logger.RequestUnknown();
        return holder?.Context is null ? null : holder;
    }

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(next => context =>
        {
            if (!IsRecorded) return next(context);
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
