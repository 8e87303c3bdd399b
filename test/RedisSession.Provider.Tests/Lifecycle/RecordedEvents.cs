using System.Collections.Concurrent;

namespace RedisSession.Provider.Tests;

/// <summary>A handler that keeps what it is told, in that order.</summary>
internal sealed class RecordedEvents : ISessionLifecycle
{
    private readonly ConcurrentQueue<object> _all = new();

    public IReadOnlyList<object> All => [.. _all];

    public IReadOnlyList<SessionEnded> Expired => [.. _all.OfType<SessionEnded>().Where(ended => ended.Reason == SessionEndReason.Expired)];

    public Task CreatedAsync(SessionCreated created, CancellationToken cancellationToken) => Keep(created);

    public Task RenewedAsync(SessionRenewed renewed, CancellationToken cancellationToken) => Keep(renewed);

    public Task EndedAsync(SessionEnded ended, CancellationToken cancellationToken) => Keep(ended);

    public Task ExpiriesMissedAsync(SessionExpiriesMissed missed, CancellationToken cancellationToken) => Keep(missed);

    /// <summary>Returns when it has been told so much.</summary>
    public async Task<IReadOnlyList<object>> WaitForAsync(int count)
    {
        await Until.TrueAsync($"{count} events; there are {string.Join(", ", _all)}", () => Task.FromResult(_all.Count >= count));
        return All;
    }

    private Task Keep(object happened)
    {
        _all.Enqueue(happened);
        return Task.CompletedTask;
    }
}
