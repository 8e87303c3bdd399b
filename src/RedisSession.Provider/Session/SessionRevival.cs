namespace RedisSession.Provider;

/// <summary>
/// Handles a cookie whose session was renewed. Usually that session has ended. If the application died before the response with the new
/// cookie was sent, it has not: it is put back, and the request continues with it.
/// </summary>
/// <remarks>
/// Until the response is known to be sent, nobody can tell which of the two applies, and a request waits for that: milliseconds, or as long
/// as the lease if the application died (<see cref="Tombstone"/>).
/// </remarks>
internal sealed class SessionRevival(SessionChannel channel, UserLists users)
{
    private const int PauseMilliseconds = 20;

    /// <summary>A write was refused though the request had seen nothing: it can only have met a tombstone.</summary>
    public static bool IsDue(in Question question, bool hasEnded) => hasEnded && question.Sight.IsUnknown;

    /// <summary>A tombstone was found: true once it is gone, so that asking again makes sense.</summary>
    public async Task<bool> IsGoneAsync(RequestSession session, Question question, Waiting waiting)
    {
        var keys = question.Identity.RedisKeyWithParked;
        while (true)
        {
            if (question.Identity != session.State.Identity) return true; // this very request has renewed it, and would wait for itself
            var database = await channel.OpenAsync(session, waiting).ConfigureAwait(false);
            var asking = RenewalScripts.Revive.RunAsync(database, keys, [], waiting);
            var reply = await channel.ReplyAsync(session, operation: null, asking, "reviving", waiting).ConfigureAwait(false);
            if ((int)reply == 0) return false;
            if ((int)reply == 1)
            {
                users.TellNoEnd(question.Identity.Id, milliseconds: null);
                return true;
            }

            await waiting.PauseAsync(PauseMilliseconds).ConfigureAwait(false);
        }
    }
}
