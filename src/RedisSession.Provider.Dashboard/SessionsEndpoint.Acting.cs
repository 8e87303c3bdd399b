using System.Globalization;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider.Dashboard;

/// <summary>This file: what POST does.</summary>
internal sealed partial class SessionsEndpoint
{
    private async Task ActAsync(HttpContext context)
    {
        if (!await IsOursAsync(context).ConfigureAwait(false))
        {
            await context.Response.SendAsync(StatusCodes.Status400BadRequest, MessagePage.FormRefused).ConfigureAwait(false);
            return;
        }

        var form = await context.Request.ReadFormAsync(context.RequestAborted).ConfigureAwait(false);
        int ended;
        if (form[FormToken.End].ToString() is { Length: > 0 } id) ended = await EndAsync(context, id).ConfigureAwait(false);
        else if (form[FormToken.EndAll].ToString() is { Length: > 0 } user) ended = await EndAllAsync(context, user).ConfigureAwait(false);
        else
        {
            await context.Response.SendAsync(StatusCodes.Status400BadRequest, MessagePage.NothingToDo).ConfigureAwait(false);
            return;
        }

        var query = context.Request.Query;
        string count = ended.ToString(CultureInfo.InvariantCulture);
        context.Response.SeeOther(Query.To((Query.Search, query[Query.Search]), (Query.After, query[Query.After]), (Query.Ended, count)));
    }

    private async Task<bool> IsOursAsync(HttpContext context)
    {
        Exception? refusal = null;
        try
        {
            if (context.Request.HasFormContentType)
            {
                await antiforgery.ValidateRequestAsync(context).ConfigureAwait(false);
                return true;
            }
        }
        catch (AntiforgeryValidationException error)
        {
            refusal = error;
        }

        logger.FormRefused(OperatorOf(context), refusal);
        return false;
    }

    // What was asked for is done, and logged, also when the operator's browser goes away.
    private async Task<int> EndAsync(HttpContext context, string id)
    {
        if (!await directory.EndAsync(id, CancellationToken.None).ConfigureAwait(false)) return 0;
        logger.SessionEnded(OperatorOf(context), ShownText.Line(id));
        return 1;
    }

    private async Task<int> EndAllAsync(HttpContext context, string encodedUser)
    {
        string user = FormToken.DecodeUser(encodedUser);
        int ended = await directory.EndAllForUserAsync(user, cancellationToken: CancellationToken.None).ConfigureAwait(false);
        logger.UserSessionsEnded(OperatorOf(context), ShownText.Line(user), ended);
        return ended;
    }
}
