using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider;

/// <summary>
/// Session events on their way to the application's handlers: delivered one at a time, outside the requests that caused them. Without
/// handlers, nothing is queued; with slow handlers, no more than the options allow.
/// </summary>
internal sealed class LifecycleQueue : IDisposable
{
    private static readonly TimeSpan LogInterval = TimeSpan.FromMinutes(1);

    // An event that is still uncertain holds its place too; if its task yields null, there is no event.
    private readonly Channel<Pending> _events;
    private readonly CancellationTokenSource _giveUp = new();
    private readonly Lock _gate = new();
    private readonly IServiceProvider _services;
    private readonly SessionMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger<LifecycleQueue> _logger;
    private readonly int _limit;
    private Task? _telling;
    private long _tellingSince;
    private long _dropped;
    private long _loggedAt;
    private volatile bool _isComplete;

    public LifecycleQueue(
        IServiceProvider services,
        IOptions<RedisHashSessionOptions> options,
        SessionMetrics metrics,
        TimeProvider time,
        ILogger<LifecycleQueue> logger)
    {
        (_services, _metrics, _time, _logger, _limit) = (services, metrics, time, logger, options.Value.MaxPendingEvents);
        _events = Channel.CreateBounded<Pending>(new BoundedChannelOptions(_limit) { SingleReader = true });
        HasHandlers = services.GetService<IServiceProviderIsService>()?.IsService(typeof(ISessionLifecycle)) is true;
        if (HasHandlers) metrics.WatchEvents(() => _events.Reader.Count, AgeOfOldest);
    }

    /// <summary>Whether the application has any handlers.</summary>
    public bool HasHandlers { get; }

    public void Created(string id, string? user)
    {
        if (HasHandlers) Add(new SessionCreated(id, user));
    }

    public void Renewed(string id, string oldId, string? user)
    {
        if (HasHandlers) Add(new SessionRenewed(id, oldId, user));
    }

    /// <param name="id">The session.</param>
    /// <param name="user">Its user; null or empty if it had none.</param>
    /// <param name="reason">Why it ended.</param>
    public void Ended(string id, string? user, SessionEndReason reason)
    {
        if (HasHandlers) Add(new SessionEnded(id, string.IsNullOrEmpty(user) ? null : user, reason));
    }

    public void Missed(SessionExpiriesMissed missed) => Add(missed);

    /// <summary>Adds a task that yields an event, or null if there is none. It must not fail.</summary>
    public void Add(Task<object?> happening)
    {
        if (!_events.Writer.TryWrite(new(happening, _time.GetTimestamp())))
        {
            if (!_isComplete) Drop();
            return;
        }

        if (_telling is null) BeginTelling();
    }

    /// <summary>Accepts no more events, and returns when all queued events are delivered, or when cancelled.</summary>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        _isComplete = true;
        _events.Writer.TryComplete();
        lock (_gate) LogDropped();
        if (_telling is not { } telling) return;
        try
        {
            await telling.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await _giveUp.CancelAsync().ConfigureAwait(false);
            _logger.EventsNotTold(_events.Reader.Count);
        }
    }

    public void Dispose() => _giveUp.Dispose();

    private void Add(object happened) => Add(Task.FromResult<object?>(happened));

    // Rather than keep a request waiting. The first drop is logged at once, and the number of drops once a minute.
    private void Drop()
    {
        _metrics.EventDropped();
        lock (_gate)
        {
            _dropped++;
            if (_loggedAt == 0 || _time.GetElapsedTime(_loggedAt) >= LogInterval) LogDropped();
        }
    }

    private void LogDropped()
    {
        if (_dropped == 0) return;
        _logger.EventsDropped(_dropped, _limit);
        (_dropped, _loggedAt) = (0, _time.GetTimestamp());
    }

    private TimeSpan AgeOfOldest()
    {
        long since = Volatile.Read(ref _tellingSince);
        if (since == 0 && _events.Reader.TryPeek(out var oldest)) since = oldest.Since;
        return since == 0 ? TimeSpan.Zero : _time.GetElapsedTime(since);
    }

    private void BeginTelling()
    {
        lock (_gate)
        {
            if (_telling is not null) return;

            // Nothing of the request that happens to be first may flow into it, such as its activity or HttpContext.
            using var noFlow = ExecutionContext.SuppressFlow();
            _telling = Task.Run(TellAllAsync);
        }
    }

    private async Task TellAllAsync()
    {
        await foreach (var pending in _events.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            if (_giveUp.IsCancellationRequested) return;
            Volatile.Write(ref _tellingSince, pending.Since);
            if (await pending.Happening.ConfigureAwait(false) is { } happened) await TellAsync(happened).ConfigureAwait(false);
            Volatile.Write(ref _tellingSince, 0);
        }
    }

    private async Task TellAsync(object happened)
    {
        try
        {
            await using var scope = _services.CreateAsyncScope();
            foreach (var handler in scope.ServiceProvider.GetServices<ISessionLifecycle>())
            {
                await TellAsync(handler, happened).ConfigureAwait(false);
            }
        }
        catch (Exception error)
        {
            // The handlers could not be created, or the scope could not be disposed.
            _logger.HandlerFailed(nameof(ISessionLifecycle), LogText.Line(happened.ToString()!), error);
        }
    }

    private async Task TellAsync(ISessionLifecycle handler, object happened)
    {
        try
        {
            await (happened switch
            {
                SessionCreated created => handler.CreatedAsync(created, _giveUp.Token),
                SessionRenewed renewed => handler.RenewedAsync(renewed, _giveUp.Token),
                SessionEnded ended => handler.EndedAsync(ended, _giveUp.Token),
                _ => handler.ExpiriesMissedAsync((SessionExpiriesMissed)happened, _giveUp.Token),
            }).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            _logger.HandlerFailed(handler.GetType().Name, LogText.Line(happened.ToString()!), error);
        }
    }

    private readonly record struct Pending(Task<object?> Happening, long Since);
}
