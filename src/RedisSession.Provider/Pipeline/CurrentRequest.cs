using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace RedisSession.Provider;

/// <summary>
/// The request that is being served, for the session store, which SessionMiddleware does not tell it: noted where the pipeline begins.
/// </summary>
/// <remarks>
/// What <see cref="IHttpContextAccessor"/> is for; but an application that has that gets a new HttpContext for each request in the place of
/// a pooled one, which costs every request 390 bytes more where this costs 60 to 70. Where the pipeline was begun by something else than
/// ASP.NET Core's host, and the application has an accessor, that one is asked.
/// </remarks>
internal sealed class CurrentRequest(IServiceProvider services) : IStartupFilter
{
    private readonly AsyncLocal<HttpContext?> _context = new();
    private readonly IHttpContextAccessor? _accessor = services.GetService<IHttpContextAccessor>();

    public HttpContext? Context => _context.Value ?? _accessor?.HttpContext;

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(next => context =>
        {
            _context.Value = context;
            return next(context);
        });
        next(app);
    };
}
