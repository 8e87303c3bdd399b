using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>Reads and ends sessions from the outside.</summary>
internal sealed class RedisSessionDirectory(
    RedisConnection connection,
    IOptions<RedisHashSessionOptions> options,
    UserLists users,
    RenewalsUnderWay renewals,
    LifecycleQueue lifecycle,
    SessionMetrics metrics,
    IDataProtectionProvider dataProtection,
    TimeProvider time,
    ILogger<RedisSessionDirectory> logger) : IRedisSessionDirectory
{
    // Sessions queried or ended in one pipelined batch.
    private const int PageSize = 100;

    // The largest page that a caller may request.
    private const int LargestPage = 1000;

    // The resolution of timers.
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(1);

    // If a user's sessions move during a look, look again; but not for ever.
    private const int Looks = 20;

    private const long LastMoment = 253_402_300_799_999; // of the year 9999, in unix milliseconds

    private readonly RedisHashSessionOptions _options = options.Value;
    private readonly SessionScan _scan = new(options.Value.KeyPrefix, options.Value.IOTimeout);

    public async IAsyncEnumerable<SessionInfo> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var database = await OpenAsync(cancellationToken).ConfigureAwait(false);
        await foreach (var ids in _scan.PagesAsync(database, cancellationToken).ConfigureAwait(false))
        {
            long start = Stopwatch.GetTimestamp();
            var sessions = await DescribeAsync(database, ids, cancellationToken).ConfigureAwait(false);
            var busy = Stopwatch.GetElapsedTime(start);
            foreach (var session in sessions) yield return session;

            // Nothing here is urgent: leave half of the time to work that is.
            await Task.Delay(busy > ShortestPause ? busy : ShortestPause, cancellationToken).ConfigureAwait(false);
        }
    }

    public Task<SessionPage> ListPageAsync(int size = 50, string? after = null, CancellationToken cancellationToken = default)
    {
        var start = PositionOf(size, after);
        return ListOnePageAsync();

        async Task<SessionPage> ListOnePageAsync()
        {
            var database = await OpenAsync(cancellationToken).ConfigureAwait(false);
            var (ids, end) = await _scan.PageAsync(database, size, start, cancellationToken).ConfigureAwait(false);
            return new()
            {
                Sessions = ids.Count > 0 ? await DescribeAsync(database, ids, cancellationToken).ConfigureAwait(false) : [],
                Next = end?.ToString(),
            };
        }
    }

    public Task<SessionPage> FindPageAsync(
        SessionFilter filter, int size = 50, string? after = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        var start = PositionOf(size, after);
        string idStart = filter.IdStart ?? "";
        return SessionId.IsStartOfOne(idStart) ? FindOnePageAsync() : Task.FromResult(new SessionPage { Sessions = [] });

        async Task<SessionPage> FindOnePageAsync()
        {
            var database = await OpenAsync(cancellationToken).ConfigureAwait(false);
            var (ids, end) = await _scan.ChosenPageAsync(
                database, size, start, idStart, filter.AsksForUser ? ChooseAsync : null, cancellationToken).ConfigureAwait(false);
            var found = await DescribeAsync(database, ids, cancellationToken).ConfigureAwait(false);
            return new() { Sessions = [.. found.Where(session => filter.AdmitsUser(session.User))], Next = end?.ToString() };

            async Task<IEnumerable<string>> ChooseAsync(string[] some)
            {
                var users = await Within(cancellationToken)
                    .ForAsync(Task.WhenAll(some.Select(id => UserOfAsync(HashOf(database, id))))).ConfigureAwait(false);
                return some.Zip(users).Where(pair => filter.AdmitsUser(pair.Second)).Select(pair => pair.First);
            }
        }

        static async Task<string?> UserOfAsync(SessionHash hash)
        {
            try
            {
                return (string?)await hash.ReadUserAsync().ConfigureAwait(false) is { Length: > 0 } user ? user : null;
            }
            catch (RedisServerException error) when (error.Kind == RedisErrorKind.WrongType)
            {
                return null; // no session: it is not described either
            }
        }
    }

    public async Task<long> CountAsync(CancellationToken cancellationToken = default)
    {
        var database = await OpenAsync(cancellationToken).ConfigureAwait(false);
        return await _scan.CountAsync(database, cancellationToken).ConfigureAwait(false);
    }

    public Task<SessionInfo?> GetAsync(string id, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        return GetOneAsync();

        async Task<SessionInfo?> GetOneAsync()
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!SessionId.IsOne(id)) return null;
            var database = await OpenAsync(cancellationToken).ConfigureAwait(false);
            return (await DescribeAsync(database, [id], cancellationToken).ConfigureAwait(false)).SingleOrDefault();
        }
    }

    public IAsyncEnumerable<SessionInfo> FindByUserAsync(string user, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(user);
        return FindAsync(SessionHashLayout.Normalize(user), cancellationToken);
    }

    public Task<bool> EndAsync(string id, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        return EndOneAsync();

        async Task<bool> EndOneAsync()
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!SessionId.IsOne(id)) return false;
            var database = await OpenAsync(cancellationToken).ConfigureAwait(false);
            string[] ids = renewals.OldIdOf(id) is { } before ? [id, before] : [id];
            return await EndAsync(database, ids, onlyOf: null, cancellationToken).ConfigureAwait(false) > 0;
        }
    }

    public Task<int> EndAllForUserAsync(string user, string? exceptId = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(user);
        if (exceptId is not null) ArgumentException.ThrowIfNullOrEmpty(exceptId);
        return EndAllAsync(SessionHashLayout.Normalize(user), exceptId, cancellationToken);
    }

    private async IAsyncEnumerable<SessionInfo> FindAsync(string user, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var database = await OpenAsync(cancellationToken).ConfigureAwait(false);
        var asked = new HashSet<string>(StringComparer.Ordinal);
        bool someAreGone = true;
        for (int look = 0; someAreGone && look < Looks; look++)
        {
            // A session whose key is being renewed is listed under its new id before the old one is gone.
            someAreGone = false;
            foreach (string[] ids in await UnaskedAsync(database, user, asked, cancellationToken).ConfigureAwait(false))
            {
                var found = await DescribeAsync(database, ids, cancellationToken).ConfigureAwait(false);
                someAreGone |= found.Count < ids.Length;
                var own = found.FindAll(session => session.User == user);
                var renewed = own.Select(session => renewals.OldIdOf(session.Id)).ToHashSet();
                foreach (var session in own.Where(session => !renewed.Contains(session.Id))) yield return session;
            }
        }
    }

    private async Task<int> EndAllAsync(string user, string? exceptId, CancellationToken cancellationToken)
    {
        var database = await OpenAsync(cancellationToken).ConfigureAwait(false);
        var asked = new HashSet<string>(StringComparer.Ordinal);
        int ended = 0;
        for (int look = 0; look < Looks; look++)
        {
            if (exceptId is not null) asked.UnionWith(renewals.IdsOf(exceptId)); // again: its key may be renewed meanwhile
            var pages = await UnaskedAsync(database, user, asked, cancellationToken).ConfigureAwait(false);
            if (pages.Count == 0) break;
            foreach (string[] ids in pages) ended += await EndAsync(database, ids, user, cancellationToken).ConfigureAwait(false);
        }

        return ended;
    }

    private async Task<IReadOnlyList<string[]>> UnaskedAsync(
        IDatabase database, string user, HashSet<string> asked, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var list = new UserList(database, SessionHashLayout.UserKeyOf(_options.KeyPrefix, user));
        var ids = await Within(cancellationToken).ForAsync(list.ReadAsync()).ConfigureAwait(false);

        // Anyone who can write to Redis can write to a list, and what is not an id could name any key. The ids of one session come together.
        var unasked = ids.Select(id => id.ToString()).Where(id => SessionId.IsOne(id) && asked.Add(id)).ToList();
        return [.. unasked.OrderBy(id => renewals.IdsOf(id).Count() == 1).Chunk(PageSize)];
    }

    private async Task<int> EndAsync(IDatabase database, string[] ids, string? onlyOf, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var ending = Task.WhenAll(ids.Select(id => HashOf(database, id).EndAsync(onlyOf, onlyHash: true)));
        var owners = await Within(cancellationToken).ForAsync(ending).ConfigureAwait(false);
        int ended = 0;
        foreach (var (id, owner) in ids.Zip(owners))
        {
            if (owner is null) continue;
            ended++;
            if (owner.Length > 0) users.Forget(id, owner);
            logger.SessionEnded(id);
            metrics.SessionEnded(SessionEndReason.EndedByDirectory);
            lifecycle.Ended(id, owner, SessionEndReason.EndedByDirectory);
        }

        return ended;
    }

    /// <summary>The sessions that exist, in one round trip.</summary>
    private async Task<List<SessionInfo>> DescribeAsync(IDatabase database, IReadOnlyList<string> ids, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var describing = Task.WhenAll(ids.Select(id => HashOf(database, id).DescribeAsync()));
        var described = await Within(cancellationToken).ForAsync(describing).ConfigureAwait(false);
        var now = time.GetUtcNow();
        var found = new List<SessionInfo>(ids.Count);
        foreach (var (id, details) in ids.Zip(described))
        {
            if (details is not null) found.Add(Show(database, id, details, now));
        }

        return found;
    }

    private SessionInfo Show(IDatabase database, string id, SessionDetails details, DateTimeOffset now) => new()
    {
        Id = id,
        User = details.User,
        Created = DateTimeOffset.FromUnixTimeMilliseconds(details.Created is >= 0 and <= LastMoment ? details.Created.Value : 0),
        Expires = details.TimeToLive < DateTimeOffset.MaxValue - now ? now + details.TimeToLive.Value : DateTimeOffset.MaxValue,
        LockedSince = details.LockedSince is >= 0 and <= LastMoment and var since ? DateTimeOffset.FromUnixTimeMilliseconds(since) : null,
        LastUsed = LastUse.Of(
            details.Created is { } created and >= 0 and <= LastMoment ? DateTimeOffset.FromUnixTimeMilliseconds(created) : null,
            details.TimeToLive,
            SessionExpiry.From(_options.IdleTimeout, _options.AbsoluteTimeout, _options.RefreshInterval),
            now),
        KeyCount = details.KeyCount,
        SizeInBytes = details.Size,
        Read = cancellationToken => ReadAsync(database, id, details.Generation, cancellationToken),
        ReadExpiries = (keys, cancellationToken) => ReadExpiriesAsync(database, id, keys, cancellationToken),
    };

    private async Task<IReadOnlyDictionary<string, SessionValue>> ReadAsync(
        IDatabase database, string id, string? generation, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var entries = await Within(cancellationToken).ForAsync(HashOf(database, id).ReadAllAsync()).ConfigureAwait(false);
        var protector = _options.ProtectValues ? new ValueProtector(dataProtection, id, logger) : null;
        var snapshot = SessionSnapshot.Parse(entries, protector, out var generationNow);
        if (generationNow != generation) return StoredValues.None;
        return new StoredValues(
            snapshot.Keys.ToDictionary(key => key, key => new SessionValue(snapshot.Find(key)), StringComparer.Ordinal));
    }

    private async Task<IReadOnlyDictionary<string, DateTimeOffset>> ReadExpiriesAsync(
        IDatabase database, string id, IReadOnlyList<string> keys, CancellationToken cancellationToken)
    {
        long[] expiries;
        try
        {
            expiries = await Within(cancellationToken).ForAsync(HashOf(database, id).ReadExpiriesAsync(keys)).ConfigureAwait(false);
        }
        catch (RedisServerException)
        {
            return SessionInfo.NoExpiries; // a server that has no such expiries, or a user without the right to ask
        }

        return keys.Zip(expiries).Where(pair => pair.Second is > 0 and <= LastMoment)
            .ToDictionary(pair => pair.First, pair => DateTimeOffset.FromUnixTimeMilliseconds(pair.Second), StringComparer.Ordinal)
            .AsReadOnly();
    }

    /// <summary>Where a list requested page by page continues.</summary>
    private static ScanPosition PositionOf(int size, string? after)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, LargestPage);
        if (after is null) return ScanPosition.Start;
        if (ScanPosition.TryParse(after, out var start)) return start;
        throw new ArgumentException("The value is not the Next of a SessionPage.", nameof(after));
    }

    private Task<IDatabase> OpenAsync(CancellationToken cancellationToken) =>
        Within(cancellationToken).ForAsync(connection.GetDatabaseAsync().AsTask());

    private Waiting Within(CancellationToken cancellationToken) => Waiting.Within(_options.IOTimeout, cancellationToken);

    private SessionHash HashOf(IDatabase database, string id) => new(database, SessionHashLayout.KeyOf(_options.KeyPrefix, id));
}
