using Microsoft.AspNetCore.Http;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// All sessions that live, whose they are, and their end: for "your devices", "sign out everywhere" and administration. In the service
/// collection after <c>AddRedisHashSession</c>; for any number of callers at once.
/// </summary>
/// <remarks>
/// Sessions are named by their public id, which is <see cref="ISession.Id"/>. Every wait for Redis is bounded by the <c>IOTimeout</c> in
/// the options, each on its own; a timeout is an <see cref="OperationCanceledException"/> whose inner exception is a
/// <see cref="TimeoutException"/>. Only primaries are asked.
/// </remarks>
/// <exception cref="OperationCanceledException">Every member: Redis did not answer in time, or the caller cancelled.</exception>
/// <exception cref="RedisException">Every member: Redis is away, or refused.</exception>
public interface IRedisSessionDirectory
{
    /// <summary>
    /// Every session, in no order, while they come and go: one that lives all the time is there, one that begins or ends meanwhile may be.
    /// Pages of about a hundred keys, two round trips each: SCAN, which never holds the server up, over one primary after the other, and
    /// what there is to know about the sessions found. After each page it rests for as long as that took, so that others are served. No
    /// more than a page is in memory.
    /// </summary>
    /// <remarks>
    /// SCAN walks all keys of the database, also those of others. While the server resizes its table, or a slot of a cluster moves, it may
    /// name a session twice.
    /// </remarks>
    /// <param name="cancellationToken">Ends the walk.</param>
    /// <exception cref="RedisConnectionException">A primary cannot be reached: a list with holes would say something else.</exception>
    IAsyncEnumerable<SessionInfo> ListAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// The same list one page at a time, for who shows it: page after page in requests that are minutes apart, at whichever instance, for
    /// however many sessions there are. One round trip to look at as many keys as <paramref name="size"/> says, again until so many are
    /// sessions, but at no more than about 5,000 keys; and one for what there is to know about them.
    /// </summary>
    /// <remarks>
    /// A page can have some sessions more than <paramref name="size"/>, and in a database with many other keys less, even none. When the
    /// server at which the list stands is no primary any more, it begins anew: sessions may be there twice, none is left out.
    /// </remarks>
    /// <param name="size">How many sessions at least, if there are: from 1 to 1,000.</param>
    /// <param name="after">The <see cref="SessionPage.Next"/> of the page before; null for the first one.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArgumentException">
    /// <paramref name="size"/> is out of range, or <paramref name="after"/> cannot come from a page.
    /// </exception>
    /// <exception cref="RedisConnectionException">A primary cannot be reached.</exception>
    Task<SessionPage> ListPageAsync(int size = 50, string? after = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// The list one page at a time, as <see cref="ListPageAsync"/> has it, of some sessions only. It looks at more keys than that for one
    /// page, as few of them may be what is looked for, and still no more than so many, however many there are: about 200,000, a thousand in
    /// a round trip, for the beginning of an id, which the server looks for; about 20,000 for what only the sessions themselves tell, and
    /// with them their users are asked, one <c>HGET</c> each, in one round trip more. And one round trip for what there is to know about
    /// the sessions found.
    /// </summary>
    /// <param name="filter">Which sessions.</param>
    /// <param name="size">As in <see cref="ListPageAsync"/>.</param>
    /// <param name="after">
    /// The <see cref="SessionPage.Next"/> of the page before; null for the first one. A page can be empty and others follow: nothing was
    /// found among as many keys as are looked at for one page.
    /// </param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArgumentException">
    /// <paramref name="filter"/> is null, <paramref name="size"/> is out of range, or <paramref name="after"/> cannot come from a page.
    /// </exception>
    /// <exception cref="RedisConnectionException">A primary cannot be reached.</exception>
    Task<SessionPage> FindPageAsync(
        SessionFilter filter, int size = 50, string? after = null, CancellationToken cancellationToken = default);

    /// <summary>How many sessions there are: the walk of <see cref="ListAsync"/> by their keys alone, one round trip a page.</summary>
    /// <param name="cancellationToken">Ends the walk.</param>
    /// <exception cref="RedisConnectionException">A primary cannot be reached.</exception>
    Task<long> CountAsync(CancellationToken cancellationToken = default);

    /// <summary>What there is to know about one session; null when there is none, or not any more. One round trip.</summary>
    /// <remarks>
    /// A hash that another program has made is a session for every member: <see cref="EndAsync"/> ends it. When it began is not known then
    /// (<see cref="SessionInfo.Created"/>), and looking at it takes a round trip more.
    /// </remarks>
    /// <param name="id">The session's public id.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArgumentException"><paramref name="id"/> is null or empty.</exception>
    Task<SessionInfo?> GetAsync(string id, CancellationToken cancellationToken = default);

    /// <summary>
    /// The sessions that are this user's now, wherever and however they are kept alive. One round trip, and one for each hundred sessions;
    /// where some have ended or been renewed meanwhile, it looks again.
    /// </summary>
    /// <param name="user">
    /// As in <c>RenewSessionAsync(user)</c> or as <see cref="RedisHashSessionOptions.UserIdentifier"/> says it, character by character:
    /// names that differ in case, or in their Unicode normal form, are different users.
    /// </param>
    /// <param name="cancellationToken">Ends the walk.</param>
    /// <exception cref="ArgumentException"><paramref name="user"/> is null or empty.</exception>
    IAsyncEnumerable<SessionInfo> FindByUserAsync(string user, CancellationToken cancellationToken = default);

    /// <summary>
    /// Ends a session at once and for good: its hash is gone, and what requests that have used it still write is refused
    /// (<see cref="SessionEndedException"/>). False when there was none. One round trip.
    /// </summary>
    /// <remarks>
    /// The browser keeps its cookie: its next request has no data and may begin a new session under the same id. End the sign-in too, where
    /// that is kept elsewhere.
    /// </remarks>
    /// <param name="id">The session's public id.</param>
    /// <param name="cancellationToken">Ends the wait. The session may have been ended all the same.</param>
    /// <exception cref="ArgumentException"><paramref name="id"/> is null or empty.</exception>
    Task<bool> EndAsync(string id, CancellationToken cancellationToken = default);

    /// <summary>
    /// Ends all sessions that are this user's, as <see cref="EndAsync"/> does, also those that are given a new key meanwhile; returns how
    /// many. Two round trips, and one more for each hundred sessions. When it throws, some may have been ended.
    /// </summary>
    /// <param name="user">As in <see cref="FindByUserAsync"/>.</param>
    /// <param name="exceptId">
    /// The id of a session that stays, such as that of the request (<see cref="ISession.Id"/>); null for none.
    /// </param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArgumentException">
    /// <paramref name="user"/> is null or empty, or <paramref name="exceptId"/> is empty.
    /// </exception>
    Task<int> EndAllForUserAsync(string user, string? exceptId = null, CancellationToken cancellationToken = default);
}
