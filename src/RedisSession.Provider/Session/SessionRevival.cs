namespace RedisSession.Provider;

/// <summary>
/// A request comes with a cookie whose session was renewed. Usually that session has ended. It has not where the application died before
/// the response with the new cookie was sent: then it is put back, and the request goes on with it.
/// </summary>
/// <remarks>
/// Until the response is known to be sent, nobody can tell which of the two it is, and whoever asks waits for that: milliseconds, or if the
/// application died, for as long as its lease is (<see cref="Tombstone"/>).
/// </remarks>
internal sealed class SessionRevival(SessionChannel channel, UserLists users)
{
    private const int PauseMilliseconds = 20;

    /// <summary>A write was refused though the request had seen nothing: it can have met nothing but a tombstone.</summary>
    public static bool IsDue(in Question question, bool hasEnded) => hasEnded && question.Sight.IsUnknown;

    /// <summary>A tombstone was found: true when it is there no more, so that it is worth asking again.</summary>
    public async Task<bool> IsGoneAsync(RequestSession session, Question question, Waiting waiting)
    {
        var keys = question.Identity.RedisKeyWithParked;
        while (true)
        {
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
