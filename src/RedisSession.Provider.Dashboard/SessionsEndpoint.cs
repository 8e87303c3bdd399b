using System.Security.Claims;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace RedisSession.Provider.Dashboard;

/// <summary>
/// Answers the requests of the page. GET shows and changes nothing; POST does what its form says, if the form is ours, and sends the
/// browser back to where it was. A page is made as a whole before anything of it is sent.
/// </summary>
internal sealed partial class SessionsEndpoint(
    IRedisSessionDirectory directory,
    SessionCounts counts,
    IAntiforgery antiforgery,
    IHostEnvironment environment,
    TimeProvider time,
    ILogger<SessionsEndpoint> logger)
{
    public async Task HandleAsync(HttpContext context)
    {
        if (ClosedByDefault.Refuses(context, environment) is { } reason)
        {
            logger.Refused(reason);
            await context.Response.SendAsync(StatusCodes.Status403Forbidden, MessagePage.Closed(reason)).ConfigureAwait(false);
            return;
        }

        try
        {
            if (HttpMethods.IsPost(context.Request.Method)) await ActAsync(context).ConfigureAwait(false);
            else await ShowAsync(context).ConfigureAwait(false);
        }
        catch (Exception error) when (IsOfRedis(error) && !context.RequestAborted.IsCancellationRequested)
        {
            logger.RedisFailed(error);
            await context.Response.SendAsync(StatusCodes.Status503ServiceUnavailable, MessagePage.RedisIsAway).ConfigureAwait(false);
        }
    }

    private static string OperatorOf(HttpContext context)
    {
        var user = context.User;
        string? name = user.Identity?.Name ?? user.FindFirstValue(ClaimTypes.NameIdentifier);
        return name is null ? "(not signed in)" : ShownText.Line(name);
    }

    private static bool IsOfRedis(Exception error) =>
        error is RedisException or RedisTimeoutException or OperationCanceledException { InnerException: TimeoutException };
}
