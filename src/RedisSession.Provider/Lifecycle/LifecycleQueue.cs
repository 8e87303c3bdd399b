using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace RedisSession.Provider;

/// <summary>
/// What has happened to sessions, on its way to the application's handlers: told one after the other, outside of the requests that did it.
/// Without handlers, nothing is kept.
/// </summary>
internal sealed class LifecycleQueue(IServiceProvider services, ILogger<LifecycleQueue> logger) : IDisposable
{
    // An event that is not certain yet is in its place all the same: null, when it is done, is none.
    private readonly Channel<Task<object?>> _events = Channel.CreateUnbounded<Task<object?>>();
    private readonly CancellationTokenSource _giveUp = new();
    private readonly Lock _gate = new();
    private Task? _telling;

    /// <summary>Whether anybody wants to be told.</summary>
    public bool HasHandlers { get; } = services.GetService<IServiceProviderIsService>()?.IsService(typeof(ISessionLifecycle)) is true;

    public void Created(string id, string? user)
    {
        if (HasHandlers) Add(new SessionCreated(id, user));
    }

    public void Renewed(string id, string oldId, string? user)
    {
        if (HasHandlers) Add(new SessionRenewed(id, oldId, user));
    }

    /// <param name="id">The session.</param>
    /// <param name="user">Whose it was; null or empty when it was nobody's.</param>
    /// <param name="reason">Why it is no more.</param>
    public void Ended(string id, string? user, SessionEndReason reason)
    {
        if (HasHandlers) Add(new SessionEnded(id, string.IsNullOrEmpty(user) ? null : user, reason));
    }

    public void Missed(SessionExpiriesMissed missed) => Add(missed);

    /// <summary>Something that will be known to be an event, or none. Must not fail.</summary>
    public void Add(Task<object?> happening)
    {
        _events.Writer.TryWrite(happening);
        if (_telling is null) BeginTelling();
    }

    /// <summary>Takes no more events, and returns when all that there are have been told; when it is cancelled, without that.</summary>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        _events.Writer.TryComplete();
        if (_telling is not { } telling) return;
        try
        {
            await telling.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await _giveUp.CancelAsync().ConfigureAwait(false);
            logger.EventsNotTold(_events.Reader.Count);
        }
    }

    public void Dispose() => _giveUp.Dispose();

    private void Add(object happened) => Add(Task.FromResult<object?>(happened));

    private void BeginTelling()
    {
        lock (_gate)
        {
            if (_telling is not null) return;

            // Of the request that happens to be the first, nothing must come along: its activity, its HttpContext.
            using var noFlow = ExecutionContext.SuppressFlow();
            _telling = Task.Run(TellAllAsync);
        }
    }

    private async Task TellAllAsync()
    {
        await foreach (var happening in _events.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            if (_giveUp.IsCancellationRequested) return;
            if (await happening.ConfigureAwait(false) is { } happened) await TellAsync(happened).ConfigureAwait(false);
        }
    }

    private async Task TellAsync(object happened)
    {
        try
        {
            await using var scope = services.CreateAsyncScope();
            foreach (var handler in scope.ServiceProvider.GetServices<ISessionLifecycle>())
            {
                await TellAsync(handler, happened).ConfigureAwait(false);
            }
        }
        catch (Exception error)
        {
            // The handlers could not be made, or the scope could not be left.
            logger.HandlerFailed(nameof(ISessionLifecycle), happened, error);
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
            logger.HandlerFailed(handler.GetType().Name, happened, error);
        }
    }
}
