using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// Listens for Redis's notifications of expired keys, on every primary, and claims the sessions among them: the first instance to claim one
/// notifies the handlers. Records when it listened, so that gaps in which no instance did are known.
/// </summary>
/// <remarks>
/// To find out whether Redis reports expiries, it lets a key expire and waits for the report, every few seconds. That tests everything: the
/// setting, the permissions, the subscription, and all of them on a new primary. And it needs no permission to read the server's
/// configuration, which managed servers do not grant, and for which the client requires <c>allowAdmin</c>.
/// </remarks>
internal sealed class ExpiryListener(
    RedisConnection connection,
    IOptions<RedisHashSessionOptions> options,
    LifecycleQueue queue,
    TimeProvider time,
    ILogger<ExpiryListener> logger) : IDisposable
{
    /// <summary>How often an instance checks that it hears expiries, and records it.</summary>
    public static readonly TimeSpan Beat = TimeSpan.FromSeconds(5);

    private const int Attempts = 4; // each may take a second, and the next beat comes after five

    private readonly RedisHashSessionOptions _options = options.Value;
    private readonly byte[] _sessions = SessionHashLayout.KeyStart(options.Value.KeyPrefix);
    private readonly string _instance = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(12));
    private readonly CancellationTokenSource _stopping = new();
    private Task _running = Task.CompletedTask;
    private IDatabase? _database;
    private ExpiryProbe? _probe;
    private volatile bool _isSubscribed;
    private volatile bool _isInterrupted;
    private long _said; // when it last recorded that it listens, by the server's clock
    private bool _isUnheard;
    private string? _failure;

    /// <summary>Whether the last check confirmed that expiries are heard.</summary>
    public bool Listens { get; private set; }

    public void Start() => _running = RunAsync();

    /// <summary>Stops listening, and records until when it listened.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _running.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_running.IsCompleted || _database is not { } database) return;
        database.Multiplexer.ConnectionFailed -= Interrupted;
        try
        {
            // In this order: better to report an expiry outside the recorded period than to miss one inside it.
            if (Listens && !_isInterrupted) await RecordOf(database).EndAsync(_instance).WaitAsync(cancellationToken).ConfigureAwait(false);
            if (_isSubscribed) await UnsubscribeAsync(database).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            logger.ListeningFailed(Beat, error);
        }
    }

    public void Dispose()
    {
        _stopping.Cancel(); // in case StopAsync was not called
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(Beat, time);
        try
        {
            do await LookAsync().ConfigureAwait(false);
            while (await timer.WaitForNextTickAsync(_stopping.Token).ConfigureAwait(false));
        }
        catch (Exception) when (_stopping.IsCancellationRequested)
        {
            // The application is stopping, and its connection may already be gone.
        }
    }

    /// <summary>Checks that expiries are heard, and records it.</summary>
    private async Task LookAsync()
    {
        try
        {
            var database = _database ??= await OpenAsync().ConfigureAwait(false);
            var deaf = await FindDeafAsync(database).ConfigureAwait(false);
            if (deaf.Count > 0)
            {
                if (!_isUnheard) logger.ExpiriesUnheard(string.Join(", ", deaf), ChannelOf(database).ToString());
                (_isUnheard, Listens) = (true, false);
            }
            else
            {
                await BeatAsync(database).ConfigureAwait(false);
                (_isUnheard, _failure) = (false, null);
            }
        }
        catch (Exception error) when (!_stopping.IsCancellationRequested)
        {
            // Once for each kind: a permanent error may hide behind a connection that is not open yet.
            string failure = ErrorType.Of(error);
            if (failure != _failure) logger.ListeningFailed(Beat, error);
            (_failure, Listens) = (failure, false);
        }
    }

    private async Task<IDatabase> OpenAsync()
    {
        var database = await connection.GetDatabaseAsync().AsTask().WaitAsync(_stopping.Token).ConfigureAwait(false);
        database.Multiplexer.ConnectionFailed += Interrupted;
        _probe = new(database, _options.KeyPrefix, _instance);
        return database;
    }

    /// <summary>The servers that do not report expiries, or whose reports do not reach us.</summary>
    private async Task<IReadOnlyList<string>> FindDeafAsync(IDatabase database)
    {
        IReadOnlyList<string> deaf = [];
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            // Not at once: on a busy machine a report may be late, and what expires during a new subscription is missed for certain.
            if (attempt >= Attempts / 2 && _isSubscribed) await UnsubscribeAsync(database).ConfigureAwait(false);
            if (!_isSubscribed) await SubscribeAsync(database).ConfigureAwait(false);
            deaf = await _probe!.FindDeafAsync(_stopping.Token).ConfigureAwait(false);
            if (deaf.Count == 0) break;
            _isInterrupted = true;
        }

        return deaf;
    }

    private async Task BeatAsync(IDatabase database)
    {
        bool begins = !Listens || _isInterrupted;
        _isInterrupted = false;
        (_said, var missed) = await RecordOf(database).BeatAsync(_instance, begins, patience: 3 * Beat, _said).ConfigureAwait(false);
        Listens = true;
        if (missed is null) return;
        logger.ExpiriesMissed(missed.Since, missed.Until);
        queue.Missed(new(missed.Since, missed.Until));
    }

    private async Task SubscribeAsync(IDatabase database)
    {
        // No flag: without one, the client subscribes on the primaries only; with DemandMaster (seen in 3.4.35), on the replicas only.
        await database.Multiplexer.GetSubscriber().SubscribeAsync(ChannelOf(database), Heard).ConfigureAwait(false);
        _isSubscribed = true;
    }

    private async Task UnsubscribeAsync(IDatabase database)
    {
        _isSubscribed = false;
        await database.Multiplexer.GetSubscriber().UnsubscribeAsync(ChannelOf(database), Heard).ConfigureAwait(false);
    }

    // On every primary of a cluster: unlike other messages, these are not forwarded between servers.
    private static RedisChannel ChannelOf(IDatabase database) => RedisChannel.KeyEvent(KeyNotificationType.Expired, database.Database);

    private void Heard(RedisChannel channel, RedisValue expired)
    {
        if (!_isSubscribed) return; // unsubscribed: left to other instances
        var key = ((ReadOnlyMemory<byte>)expired).Span;
        if (!key.StartsWith(_sessions))
        {
            _probe!.Heard(key);
            return;
        }

        string id = Encoding.UTF8.GetString(key[_sessions.Length..]);
        if (SessionId.IsOne(id)) queue.Add(ClaimAsync(id));
    }

    /// <summary>The end of the session, if this instance is the one to report it; otherwise null.</summary>
    private async Task<object?> ClaimAsync(string id)
    {
        try
        {
            var owner = new SessionOwner(_database!, _options.KeyPrefix, id);
            var expiry = SessionExpiry.From(_options.IdleTimeout, _options.AbsoluteTimeout);
            if (!await owner.ClaimAsync(expiry).ConfigureAwait(false)) return null;
            return new SessionEnded(id, await owner.ReadAsync().ConfigureAwait(false), SessionEndReason.Expired);
        }
        catch (Exception error)
        {
            logger.ClaimFailed(id, error);
            return null;
        }
    }

    private void Interrupted(object? multiplexer, ConnectionFailedEventArgs failure)
    {
        // A replica reports nothing anyway.
        var servers = ((IConnectionMultiplexer)multiplexer!).GetServers();
        if (!servers.Any(server => server.IsReplica && server.EndPoint.Equals(failure.EndPoint))) _isInterrupted = true;
    }

    private ListeningRecord RecordOf(IDatabase database) => new(database, SessionHashLayout.LifecycleKeyOf(_options.KeyPrefix));
}
