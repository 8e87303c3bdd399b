using Microsoft.AspNetCore.Http;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// Lists, finds and ends live sessions, and tells who owns them: for "your devices" pages, "sign out everywhere" and administration.
/// Available from the service collection after <c>AddRedisHashSession</c>; safe for concurrent use.
/// </summary>
/// <remarks>
/// Sessions are identified by their public id, <see cref="ISession.Id"/>. Each wait for Redis is individually limited to the
/// <c>IOTimeout</c> option; a timeout is an <see cref="OperationCanceledException"/> whose inner exception is a
/// <see cref="TimeoutException"/>. Only primaries are queried.
/// </remarks>
/// <exception cref="OperationCanceledException">Every member: Redis did not answer in time, or the caller cancelled.</exception>
/// <exception cref="RedisException">Every member: Redis is unavailable, or refused the command.</exception>
public interface IRedisSessionDirectory
{
    /// <summary>
    /// Lists every session, in no particular order. A session that exists for the whole duration is listed; one that begins or ends
    /// meanwhile may be. The list is read in pages of about a hundred keys, two round trips each: a SCAN, which never blocks the server,
    /// over one primary after the other, and a query for the details of the sessions found. After each page, it pauses for as long as that
    /// page took, to leave room for other clients. At most one page is held in memory.
    /// </summary>
    /// <remarks>
    /// SCAN iterates over all keys of the database, including those of other applications. While the server resizes its hash table, or a
    /// slot of a cluster moves, it may return a session twice.
    /// </remarks>
    /// <param name="cancellationToken">Ends the iteration.</param>
    /// <exception cref="RedisConnectionException">A primary cannot be reached. An incomplete list would be misleading.</exception>
    IAsyncEnumerable<SessionInfo> ListAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Returns the same list one page at a time, for display: pages can be requested minutes apart, from any instance, for any number of
    /// sessions. One round trip scans as many keys as <paramref name="size"/> specifies, and is repeated until that many sessions are found
    /// or about 5,000 keys have been scanned; one more round trip reads the details of the sessions.
    /// </summary>
    /// <remarks>
    /// A page can have a few more sessions than <paramref name="size"/>, and, in a database with many other keys, fewer or even none. If
    /// the server that the list has reached is no longer a primary, the list starts over: sessions may be listed twice, but none is left
    /// out.
    /// </remarks>
    /// <param name="size">The minimum number of sessions on a page, if there are that many: from 1 to 1,000.</param>
    /// <param name="after">The <see cref="SessionPage.Next"/> of the previous page; null for the first page.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArgumentException">
    /// <paramref name="size"/> is out of range, or <paramref name="after"/> is not the <see cref="SessionPage.Next"/> of a page.
    /// </exception>
    /// <exception cref="RedisConnectionException">A primary cannot be reached.</exception>
    Task<SessionPage> ListPageAsync(int size = 50, string? after = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Returns the list one page at a time, like <see cref="ListPageAsync"/>, but only the sessions that match a filter. Because few keys
    /// may match, it scans more keys per page, up to a fixed limit: about 200,000 keys for the beginning of an id, which the server
    /// matches, a thousand per round trip; about 20,000 keys for criteria that depend on the sessions' users, which are read with one
    /// <c>HGET</c> each, in one additional round trip. One more round trip reads the details of the sessions found.
    /// </summary>
    /// <param name="filter">Which sessions to find.</param>
    /// <param name="size">As in <see cref="ListPageAsync"/>.</param>
    /// <param name="after">
    /// The <see cref="SessionPage.Next"/> of the previous page; null for the first page. A page can be empty although others follow: none
    /// of the keys scanned for it matched.
    /// </param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArgumentException">
    /// <paramref name="filter"/> is null, <paramref name="size"/> is out of range, or <paramref name="after"/> is not the
    /// <see cref="SessionPage.Next"/> of a page.
    /// </exception>
    /// <exception cref="RedisConnectionException">A primary cannot be reached.</exception>
    Task<SessionPage> FindPageAsync(
        SessionFilter filter, int size = 50, string? after = null, CancellationToken cancellationToken = default);

    /// <summary>Counts the sessions: iterates like <see cref="ListAsync"/>, but over the keys only, one round trip per page.</summary>
    /// <remarks>
    /// Keys do not tell everything: a session that was ended by the id that it had before its key was renewed counts for up to a minute
    /// longer.
    /// </remarks>
    /// <param name="cancellationToken">Ends the iteration.</param>
    /// <exception cref="RedisConnectionException">A primary cannot be reached.</exception>
    Task<long> CountAsync(CancellationToken cancellationToken = default);

    /// <summary>Gets the details of one session; null if it does not exist or no longer exists. One round trip.</summary>
    /// <remarks>
    /// A hash that another program has created counts as a session for every member, and <see cref="EndAsync"/> ends it. Its creation time
    /// is unknown (<see cref="SessionInfo.Created"/>), and reading its details takes one more round trip.
    /// </remarks>
    /// <param name="id">The session's public id.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArgumentException"><paramref name="id"/> is null or empty.</exception>
    Task<SessionInfo?> GetAsync(string id, CancellationToken cancellationToken = default);

    /// <summary>
    /// Finds the sessions that this user currently owns, regardless of where and how they are kept alive. One round trip, plus one for each
    /// hundred sessions; if some sessions have ended or been renewed meanwhile, it looks again.
    /// </summary>
    /// <remarks>
    /// While a request renews the key of a session, the session exists under both keys. Its own process finds it once, under the new id;
    /// other processes find both, and must end both.
    /// </remarks>
    /// <param name="user">
    /// The name, as passed to <c>RenewSessionAsync(user)</c> or returned by <see cref="RedisHashSessionOptions.UserIdentifier"/>. Compared
    /// character by character: names that differ in case, or in their Unicode normal form, are different users.
    /// </param>
    /// <param name="cancellationToken">Ends the iteration.</param>
    /// <exception cref="ArgumentException"><paramref name="user"/> is null or empty.</exception>
    IAsyncEnumerable<SessionInfo> FindByUserAsync(string user, CancellationToken cancellationToken = default);

    /// <summary>
    /// Ends a session immediately and permanently: its hash is removed, and later writes by requests that have used it are refused
    /// (<see cref="SessionEndedException"/>). Returns false if there was no such session. One round trip, plus one if its key was renewed
    /// within the last minute.
    /// </summary>
    /// <remarks>
    /// The browser keeps its cookie: its next request has no data and may begin a new session under the same id. If the sign-in is kept
    /// elsewhere, end it too. While a request in this process renews the key of the session, its new id ends it under both keys.
    /// </remarks>
    /// <param name="id">The session's public id.</param>
    /// <param name="cancellationToken">Ends the wait. The session may have been ended nevertheless.</param>
    /// <exception cref="ArgumentException"><paramref name="id"/> is null or empty.</exception>
    Task<bool> EndAsync(string id, CancellationToken cancellationToken = default);

    /// <summary>
    /// Ends all sessions that this user owns, as <see cref="EndAsync"/> does, including those that are renewed meanwhile. Returns how many
    /// were ended. Two round trips, plus one for each hundred sessions, or two if the key of one of them was renewed within the last
    /// minute. If it throws, some sessions may have been ended.
    /// </summary>
    /// <param name="user">As in <see cref="FindByUserAsync"/>.</param>
    /// <param name="exceptId">
    /// The id of a session to keep, such as that of the current request (<see cref="ISession.Id"/>); null to keep none. If a request in
    /// this process is renewing the key of that session, either id keeps the session, under both keys.
    /// </param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArgumentException">
    /// <paramref name="user"/> is null or empty, or <paramref name="exceptId"/> is empty.
    /// </exception>
    Task<int> EndAllForUserAsync(string user, string? exceptId = null, CancellationToken cancellationToken = default);
}
