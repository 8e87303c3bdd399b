using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// Listens to what Redis says of expired keys, on every primary, and claims the sessions among them: the instance that is the first tells
/// the handlers. Writes down when it listened, so that it is known when nobody did.
/// </summary>
/// <remarks>
/// Whether Redis reports expiries is found out by having a key expire and waiting for the report, every few seconds. That sees everything:
/// the setting, the rights, the subscription, whether a new primary has any of them; and it needs no right to read the server's
/// configuration, which managed servers do not give, and for which the client wants <c>allowAdmin</c>.
/// </remarks>
internal sealed class ExpiryListener(
    RedisConnection connection,
    IOptions<RedisHashSessionOptions> options,
    LifecycleQueue queue,
    TimeProvider time,
    ILogger<ExpiryListener> logger) : IDisposable
{
    /// <summary>How often an instance makes sure that it listens, and says so.</summary>
    public static readonly TimeSpan Beat = TimeSpan.FromSeconds(5);

    private const int Attempts = 3;

    private readonly RedisHashSessionOptions _options = options.Value;
    private readonly byte[] _sessions = SessionHashLayout.KeyStart(options.Value.KeyPrefix);
    private readonly string _instance = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(12));
    private readonly CancellationTokenSource _stopping = new();
    private Task _running = Task.CompletedTask;
    private IDatabase? _database;
    private ExpiryProbe? _probe;
    private volatile bool _isSubscribed;
    private volatile bool _isInterrupted;
    private long _said; // when it last said that it listens, by the server's clock
    private bool _isUnheard;
    private string? _failure;

    /// <summary>Whether it was certain, at the last look, that expiries are heard.</summary>
    public bool Listens { get; private set; }

    public void Start() => _running = RunAsync();

    /// <summary>Listens no more, and has written down until when it did.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _running.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_running.IsCompleted || _database is not { } database) return;
        database.Multiplexer.ConnectionFailed -= Interrupted;
        try
        {
            // In this order: rather an expiry that was told in a time of which nothing is promised, than one that was not in another.
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
        _stopping.Cancel(); // where nobody has stopped the application before
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
            // The application stops, and its connection may be gone before this.
        }
    }

    /// <summary>Makes sure that expiries are heard, and says so.</summary>
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
            // Once for each kind: what is wrong for good may hide behind a connection that is not there yet.
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

    /// <summary>The servers that do not report expiries, or not to us.</summary>
    private async Task<IReadOnlyList<string>> FindDeafAsync(IDatabase database)
    {
        IReadOnlyList<string> deaf = [];
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            if (attempt > 0 && _isSubscribed) await UnsubscribeAsync(database).ConfigureAwait(false);
            if (!_isSubscribed) await SubscribeAsync(database).ConfigureAwait(false);
            deaf = await _probe!.FindDeafAsync(_stopping.Token).ConfigureAwait(false);
            if (deaf.Count == 0) break;
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
        // Without a flag: the client goes to the primaries alone, and with DemandMaster (seen in 3.4.35) to the replicas alone.
        await database.Multiplexer.GetSubscriber().SubscribeAsync(ChannelOf(database), Heard).ConfigureAwait(false);
        _isSubscribed = true;
    }

    private async Task UnsubscribeAsync(IDatabase database)
    {
        (_isSubscribed, _isInterrupted) = (false, true);
        await database.Multiplexer.GetSubscriber().UnsubscribeAsync(ChannelOf(database), Heard).ConfigureAwait(false);
    }

    // On every primary of a cluster: unlike other messages, these are not passed on between servers.
    private static RedisChannel ChannelOf(IDatabase database) => RedisChannel.KeyEvent(KeyNotificationType.Expired, database.Database);

    private void Heard(RedisChannel channel, RedisValue expired)
    {
        if (!_isSubscribed) return; // from here on it is for the others
        var key = ((ReadOnlyMemory<byte>)expired).Span;
        if (!key.StartsWith(_sessions))
        {
            _probe!.Heard(key);
            return;
        }

        string id = Encoding.UTF8.GetString(key[_sessions.Length..]);
        if (SessionId.IsOne(id)) queue.Add(ClaimAsync(id));
    }

    /// <summary>The end of the session, where it is this instance that tells it.</summary>
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
