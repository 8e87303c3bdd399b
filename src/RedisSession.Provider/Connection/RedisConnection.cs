using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// The connection that all sessions share, or the cache's own. Opened when the application starts, or on first use; a connection not opened
/// here is not closed here.
/// </summary>
internal sealed class RedisConnection(
    RedisConnectionSettings settings, IServiceProvider services, ILogger<RedisConnection> logger)
    : IRedisSessionConnection, IDisposable, IAsyncDisposable
{
    private const string DedicatedThreads = "DedicatedThreads";

    private readonly Lock _gate = new();
    private Task<IDatabase>? _opening;
    private IConnectionMultiplexer? _own;
    private IConnectionMultiplexer? _watched;
    private ConfigurationOptions? _configuration;
    private RefusalWatch? _refusals;
    private Outages? _outages;
    private ConnectedUser.Mistake? _wrongUser;
    private bool _disposed;

    /// <summary>
    /// How long the client itself waits for a reply on a connection that we open; for any other it is unknown, hence unlimited.
    /// </summary>
    public TimeSpan ReplyTimeout { get; private set; } = TimeSpan.MaxValue;

    /// <summary>The database, once there is a connection.</summary>
    public IDatabase? OpenDatabase { get; private set; }

    /// <summary>What the client puts in front of the channels that it subscribes to; a script has to do so itself.</summary>
    public string? ChannelPrefix { get; private set; }

    /// <summary>Whether the server is Garnet, as the client learnt when it connected.</summary>
    public bool IsGarnet { get; private set; }

    public ValueTask<IDatabase> GetDatabaseAsync()
    {
        if (OpenDatabase is { } database) return new(database);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);

            // On the thread pool: an application's factory or service may connect synchronously, and no request may wait longer than its
            // own timeout.
            if (_opening is null or { IsFaulted: true } or { IsCanceled: true }) _opening = Task.Run(OpenWithThreadsAsync);
            return new(_opening);
        }
    }

    /// <summary>A server that takes a connection of ours for another user's; null if there is none, or none can be identified.</summary>
    public async Task<ConnectedUser.Mistake?> FindWrongUserAsync() =>
        _configuration is { } configuration && OpenDatabase is { } database
            ? await ConnectedUser.FindMistakeAsync(database.Multiplexer, configuration.User).ConfigureAwait(false)
            : null;

    /// <summary>Tries a connection to find out why Redis refuses ours; null if it does not, or cannot be reached.</summary>
    public async Task<RefusalProbe.Refusal?> FindRefusalAsync(CancellationToken cancellationToken) => _configuration is { } configuration
        ? await RefusalProbe.FindAsync(configuration, server: null, cancellationToken).ConfigureAwait(false)
        : null;

    public void Dispose()
    {
        if (TakeOwn() is { } own) own.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        if (TakeOwn() is { } own) await own.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<IDatabase> OpenWithThreadsAsync()
    {
        // Connecting needs pool threads, which synchronous reads may be holding meanwhile.
        using var threads = SpareThreads.WhileAway();
        return await OpenAsync().ConfigureAwait(false);
    }

    private async Task<IDatabase> OpenAsync()
    {
        // Read when connecting. Never reset: the flag is process-wide, and other code may have come to rely on it.
        bool connectsHere = settings.ConnectionMultiplexerFactory is not null || RedisConnectionChoice.OwnConnection(settings) is not null;
        if (settings.UseDedicatedThreads && connectsHere) ConnectionMultiplexer.SetFeatureFlag(DedicatedThreads, true);
        long since = TimeProvider.System.GetTimestamp();
        bool? keepsCommands = null;
        IConnectionMultiplexer multiplexer;
        try
        {
            if (RedisConnectionChoice.OwnConnection(settings) is { } configuration)
            {
                multiplexer = await OpenOwnAsync(configuration).ConfigureAwait(false);
                ReplyTimeout = TimeSpan.FromMilliseconds(configuration.AsyncTimeout);
                keepsCommands = RedisConnectionChoice.KeepsCommands(configuration);
            }
            else
            {
                multiplexer = await RedisConnectionChoice.ForeignConnectionAsync(settings, services).ConfigureAwait(false);
                bool isMissing = settings.UseDedicatedThreads && !ConnectionMultiplexer.GetFeatureFlag(DedicatedThreads);
                if (isMissing) logger.NoDedicatedThreads(settings.Method);
            }
        }
        catch (Exception error)
        {
            logger.ConnectingFailed(error);
            throw;
        }

        LearnAboutServers(multiplexer);
        ChannelPrefix = RedisConnectionChoice.ChannelPrefixOf(multiplexer);
        var clock = new OutageClock(settings.OutageTolerance, TimeProvider.System);
        var outages = Outages.Watch(multiplexer, clock, settings.IOTimeout, keepsCommands, since);
        lock (_gate)
        {
            if (_disposed) outages?.Dispose();

            // The application's connection may outlive this object: once disposed, do not attach a handler that nothing would remove.
            ObjectDisposedException.ThrowIf(_disposed, this);
            multiplexer.ConnectionRestored += LearnAboutServers; // it may be the first time that we get through
            (_watched, _outages) = (multiplexer, outages);
        }

        OpenDatabase = multiplexer.GetDatabase();
        _ = LogWrongUserAsync().Observed();
        return OpenDatabase;
    }

    private void LearnAboutServers(object? multiplexer, ConnectionFailedEventArgs restored)
    {
        LearnAboutServers((IConnectionMultiplexer)multiplexer!);
        if (restored.ConnectionType == ConnectionType.Interactive) _ = LogWrongUserAsync().Observed();
    }

    private void LearnAboutServers(IConnectionMultiplexer multiplexer) =>
        IsGarnet = multiplexer.GetServers().Any(server => server.GetProductVariant(out _) == ProductVariant.Garnet);

    private async Task<IConnectionMultiplexer> OpenOwnAsync(ConfigurationOptions configuration)
    {
        _configuration = configuration; // who cannot wait for the connection can ask why there is none
        var multiplexer = await ConnectionMultiplexer.ConnectAsync(configuration).ConfigureAwait(false);
        bool tooLate;
        lock (_gate)
        {
            tooLate = _disposed;
            if (!tooLate) (_own, _refusals) = (multiplexer, new(multiplexer, configuration, logger));
        }

        if (tooLate)
        {
            await multiplexer.DisposeAsync().ConfigureAwait(false);
            ObjectDisposedException.ThrowIf(tooLate, this);
        }

        await LogStateAsync(multiplexer).ConfigureAwait(false);
        return multiplexer;
    }

    /// <summary>
    /// Logs at startup whether Redis is usable and, if not, why: a wrong password shows here rather than in the first request.
    /// </summary>
    private async Task LogStateAsync(ConnectionMultiplexer multiplexer)
    {
        try
        {
            await multiplexer.GetDatabase().PingAsync().ConfigureAwait(false);
            logger.Connected();
        }
        catch (Exception error)
        {
            string endPoints = string.Join(", ", multiplexer.GetEndPoints(configuredOnly: true).Select(endPoint => endPoint.ToString()));
            logger.NotConnectedYet(endPoints, error);
        }
    }

    /// <summary>Logs that Redis has not accepted the password although everything seems to work.</summary>
    private async Task LogWrongUserAsync()
    {
        var mistake = await FindWrongUserAsync().ConfigureAwait(false);
        if (Interlocked.Exchange(ref _wrongUser, mistake) == mistake || mistake is null) return; // it is known
        logger.WrongUser(mistake.Server.ToString()!, mistake.Actual, mistake.Wanted);
    }

    private IConnectionMultiplexer? TakeOwn()
    {
        lock (_gate)
        {
            _disposed = true;
            if (_watched is not null) _watched.ConnectionRestored -= LearnAboutServers;
            _refusals?.Dispose();
            _outages?.Dispose();
            var own = _own;
            _own = null;
            return own;
        }
    }
}
