using System.Collections.Concurrent;
using System.Net;
using System.Runtime.CompilerServices;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// Handles commands while the servers of one connection are unavailable. The client keeps commands in order until it reconnects, and this
/// limits for how long; commands whose reply was lost with the connection are sent again where that is harmless.
/// </summary>
/// <remarks>
/// A server that is connected again may still load its data. So its outage ends when it answers a question: with anything but
/// <see cref="Sending.IsNotNow"/>.
/// </remarks>
internal sealed class Outages : IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan QuietTick = TimeSpan.FromSeconds(1);

    private static readonly ConditionalWeakTable<IConnectionMultiplexer, Outages> Known = [];

    // Looked up for each command; there is seldom more than one connection.
    private static Latest? Last;

    private readonly IConnectionMultiplexer _multiplexer;
    private readonly ConcurrentDictionary<IWaitingCommand, bool> _waiting = new();
    private readonly ConcurrentDictionary<EndPoint, bool> _asked = new();
    private readonly ConcurrentDictionary<EndPoint, Func<Task>> _questions = new();
    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private IDisposable? _spareThreads;
    private int _isLooking;
    private volatile bool _isDisposed;

    private Outages(IConnectionMultiplexer multiplexer, OutageClock clock, TimeSpan ioTimeout, bool? keepsCommands)
    {
        (_multiplexer, Clock, IOTimeout, KeepsCommands) = (multiplexer, clock, ioTimeout, keepsCommands);
        _timer = clock.Time.CreateTimer(static outages => ((Outages)outages!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        multiplexer.ConnectionFailed += Failed;
        multiplexer.ConnectionRestored += Restored;
    }

    public OutageClock Clock { get; }

    /// <summary>The longest that a command waits; infinite by default.</summary>
    public TimeSpan IOTimeout { get; }

    /// <summary>
    /// Whether the client keeps commands while their server is unavailable: false if the application has told it not to, null if unknown.
    /// When the client stops keeping a command, this class takes over.
    /// </summary>
    public bool? KeepsCommands { get; }

    /// <summary>Watches a connection, unless it is watched already.</summary>
    /// <param name="multiplexer">The connection.</param>
    /// <param name="clock">How long commands wait.</param>
    /// <param name="ioTimeout">The longest that commands wait, whatever the clock says.</param>
    /// <param name="keepsCommands">See <see cref="KeepsCommands"/>.</param>
    /// <param name="since">When connecting began: a server not connected has been unavailable since then.</param>
    public static Outages? Watch(
        IConnectionMultiplexer multiplexer, OutageClock clock, TimeSpan ioTimeout, bool? keepsCommands, long since)
    {
        if (clock.Tolerance == TimeSpan.Zero) return null;
        var outages = new Outages(multiplexer, clock, ioTimeout, keepsCommands);
        if (!Known.TryAdd(multiplexer, outages))
        {
            outages.Dispose();
            return null;
        }

        foreach (var server in multiplexer.GetServers().Where(server => !server.IsConnected)) outages.Begin(server.EndPoint, since);
        return outages;
    }

    /// <summary>The outages of a watched connection; null for any other.</summary>
    public static Outages? Of(IConnectionMultiplexer? multiplexer)
    {
        if (multiplexer is null) return null;
        if (Last is { } latest && ReferenceEquals(latest.Multiplexer, multiplexer)) return latest.Outages;
        if (!Known.TryGetValue(multiplexer, out var outages)) return null;
        Last = new(multiplexer, outages);
        return outages;
    }

    public void Dispose()
    {
        _isDisposed = true;
        _multiplexer.ConnectionFailed -= Failed;
        _multiplexer.ConnectionRestored -= Restored;
        if (Known.TryGetValue(_multiplexer, out var known) && known == this) Known.Remove(_multiplexer);
        if (Last?.Outages == this) Last = null;
        _timer.Dispose();
        lock (_gate) ReturnThreads();
        foreach (var command in _waiting.Keys) command.GiveUp();
    }

    /// <summary>The server that a key is on, as far as the client knows; it may be unavailable.</summary>
    public EndPoint? ServerOf(RedisKey key)
    {
        var servers = _multiplexer.GetServers();
        var configuration = servers.Select(server => server.ClusterConfiguration).FirstOrDefault(known => known is not null);
        if (configuration is not null) return configuration.GetBySlot(key)?.EndPoint;
        var primaries = servers.Where(server => !server.IsReplica).ToList();
        return (primaries.Find(server => server.IsConnected) ?? primaries.FirstOrDefault())?.EndPoint;
    }

    /// <summary>A server is unavailable. Called by whatever notices first.</summary>
    public void Begin(EndPoint server, long? since = null)
    {
        if (_isDisposed || !Clock.Begin(server, since)) return;
        lock (_gate)
        {
            if (_isDisposed) return;
            if (Clock.MayWait) _spareThreads ??= SpareThreads.WhileAway();
            _timer.Change(Tick, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>A server that is connected does not run commands now; <paramref name="key"/> shows when it does again.</summary>
    public void BeginRefusing(EndPoint server, IDatabase database, RedisKey key)
    {
        // Whatever is there, the answer to HGET says that it is; and every user of sessions and of the cache has the right to it.
        _questions.TryAdd(server, () => database.HashGetAsync(key, RedisValue.EmptyString, CommandFlags.DemandMaster));
        Begin(server);
    }

    /// <summary>A command waits: it is checked until it is done.</summary>
    public void Add(IWaitingCommand command)
    {
        _waiting.TryAdd(command, true);
        lock (_gate)
        {
            if (!_isDisposed) _timer.Change(Tick, Timeout.InfiniteTimeSpan);
        }

        if (_isDisposed) command.GiveUp();
    }

    /// <summary>Why a command fails at once.</summary>
    public RedisConnectionException TooLong(Exception? last = null) => new(
        ConnectionFailureType.UnableToConnect,
        CommandFlags.DemandMaster,
        $"Redis has been unavailable for longer than the OutageTolerance of {Clock.Tolerance}; commands fail immediately until it is back.",
        last);

    private void Failed(object? multiplexer, ConnectionFailedEventArgs failure)
    {
        // Raised on the thread pool, so the outage may be over by then.
        if (failure is not { ConnectionType: ConnectionType.Interactive, EndPoint: { } server } || IsConnected(server)) return;
        Begin(server);
    }

    private void Restored(object? multiplexer, ConnectionFailedEventArgs restored)
    {
        if (restored is { ConnectionType: ConnectionType.Interactive, EndPoint: { } server }) _ = EndIfReadyAsync(server);
    }

    private bool IsConnected(EndPoint server) => FindConnected(server) is not null;

    private IServer? FindConnected(EndPoint server) =>
        Array.Find(_multiplexer.GetServers(), known => known.IsConnected && known.EndPoint.Equals(server));

    /// <summary>Asks a server that is connected, unless it is being asked.</summary>
    private async Task EndIfReadyAsync(EndPoint server)
    {
        if (FindConnected(server) is not { } connected || !_asked.TryAdd(server, true)) return;
        try
        {
            await (_questions.TryGetValue(server, out var question) ? question() : connected.PingAsync()).ConfigureAwait(false);
        }
        catch (Exception error) when (error is RedisConnectionException or RedisTimeoutException || Sending.IsNotNow(error))
        {
            return; // asked again
        }
        catch (Exception)
        {
            // An answer all the same, such as a missing right.
        }
        finally
        {
            _asked.TryRemove(server, out _);
        }

        _questions.TryRemove(server, out _);
        if (IsConnected(server)) Clock.End(server);
    }

    private void Look()
    {
        if (Interlocked.Exchange(ref _isLooking, 1) == 1) return; // the other look sets the timer again
        try
        {
            foreach (var server in Clock.Away) _ = EndIfReadyAsync(server);

            if (!_waiting.IsEmpty) Primaries.LookAgainAmongReplicas(_multiplexer);
            foreach (var command in _waiting.Keys)
            {
                if (command.Look()) _waiting.TryRemove(command, out _);
            }
        }
        finally
        {
            Volatile.Write(ref _isLooking, 0);
            lock (_gate)
            {
                if (!_isDisposed) LookAgain();
            }
        }
    }

    private void LookAgain()
    {
        bool isQuiet = _waiting.IsEmpty && !Clock.MayWait;
        if (isQuiet) ReturnThreads();
        if (Clock.IsAnyAway || !isQuiet) _timer.Change(isQuiet ? QuietTick : Tick, Timeout.InfiniteTimeSpan);
    }

    private void ReturnThreads()
    {
        _spareThreads?.Dispose();
        _spareThreads = null;
    }

    private sealed record Latest(IConnectionMultiplexer Multiplexer, Outages Outages);
}

/// <summary>A command that waits for its server.</summary>
internal interface IWaitingCommand
{
    /// <summary>Sends it again, or fails it, when it is time for that; true when it needs no further checks.</summary>
    bool Look();

    /// <summary>Fails it now: no server will become available any more, or nobody waits for it.</summary>
    void GiveUp();
}
