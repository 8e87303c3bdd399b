using System.Collections.Concurrent;

namespace RedisSession.Provider.Tests;

/// <summary>A handler that keeps what it is told, in that order, when <paramref name="gate"/> is open; by default it is.</summary>
internal sealed class RecordedEvents(Task? gate = null) : ISessionLifecycle
{
    private readonly ConcurrentQueue<object> _all = new();

    public IReadOnlyList<object> All => [.. _all];

    public IReadOnlyList<SessionEnded> Expired => [.. _all.OfType<SessionEnded>().Where(ended => ended.Reason == SessionEndReason.Expired)];

    public bool IsBeingTold { get; private set; }

    public bool IsCancelled { get; private set; }

    public Task CreatedAsync(SessionCreated created, CancellationToken cancellationToken) => KeepAsync(created, cancellationToken);

    public Task RenewedAsync(SessionRenewed renewed, CancellationToken cancellationToken) => KeepAsync(renewed, cancellationToken);

    public Task EndedAsync(SessionEnded ended, CancellationToken cancellationToken) => KeepAsync(ended, cancellationToken);

    public Task ExpiriesMissedAsync(SessionExpiriesMissed missed, CancellationToken cancellationToken) => KeepAsync(missed, cancellationToken);

    /// <summary>Returns when it has been told so much.</summary>
    public async Task<IReadOnlyList<object>> WaitForAsync(int count)
    {
        await Until.TrueAsync($"{count} events; there are {string.Join(", ", _all)}", () => _all.Count >= count);
        return All;
    }

    /// <summary>Returns the ends by expiry when it has been told of so many.</summary>
    public async Task<IReadOnlyList<SessionEnded>> WaitForExpiredAsync(int count = 1)
    {
        await Until.TrueAsync($"{count} expiries", () => Expired.Count >= count);
        return Expired;
    }

    private async Task KeepAsync(object happened, CancellationToken cancellationToken)
    {
        IsBeingTold = true;
        using var cancelled = cancellationToken.Register(() => IsCancelled = true);
        if (gate is not null) await gate;
        _all.Enqueue(happened);
    }
}
