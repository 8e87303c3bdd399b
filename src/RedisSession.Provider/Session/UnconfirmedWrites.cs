using System.Runtime.ExceptionServices;

namespace RedisSession.Provider;

/// <summary>
/// What one request has changed, until Redis has confirmed it. An object of its own, made by the first change, because most requests only
/// read. Guarded by the session's lock.
/// </summary>
/// <remarks>
/// What is sent is one script. Several can be under way; their confirmations are awaited in the order of their sending. What has failed
/// stays in <see cref="Sent"/>, so that it can be sent again.
/// </remarks>
internal sealed class UnconfirmedWrites
{
    /// <summary>Changed and not sent yet.</summary>
    public SessionChanges? Collected { get; set; }

    public SessionChanges? Sent { get; set; }

    /// <summary>
    /// Done when everything sent is confirmed, with null, or with what failed: a failed task would have to be observed by somebody.
    /// </summary>
    public Task<ExceptionDispatchInfo?> Confirmation { get; set; } = Confirmed;

    /// <summary>The last of the changes that depend on what Redis holds: their replies are taken in in the order of sending.</summary>
    public Task Operation { get; set; } = Task.CompletedTask;

    /// <summary>Confirmed while a snapshot was on its way, which may be older than they are.</summary>
    public SessionChanges? ConfirmedMeanwhile { get; set; }

    /// <summary>The generation of the session that these make, where there is none.</summary>
    public string? NewGeneration { get; set; }

    public Exception? LoggedFailure { get; set; }

    public int InFlight { get; set; }

    /// <summary>The sends are numbered.</summary>
    public int LastSent { get; set; }

    /// <summary>Up to this number they have been sent again, in one, to a server that did not have the script.</summary>
    public int LastCovered { get; set; }

    /// <summary>Nothing is left to send or to wait for.</summary>
    public bool AreConfirmed => Collected is null && Confirmation is { IsCompleted: true, Result: null };

    public bool HaveFailed => Confirmation is { IsCompleted: true, Result: not null };

    public static Task<ExceptionDispatchInfo?> Confirmed { get; } = Task.FromResult<ExceptionDispatchInfo?>(null);

    /// <summary>Adds what was changed after all of these.</summary>
    public void Collect(SessionChanges changes) => Collected = SessionChanges.Merge(Collected, changes);

    /// <summary>What these say about a key; false when they say nothing.</summary>
    public bool Decide(string key, out byte[]? value) =>
        SessionChanges.Decide(Collected, key, out value) || SessionChanges.Decide(Sent, key, out value);

    /// <summary>Everything that is confirmed or will be is to be told to have failed.</summary>
    public void Fail(Exception error) => Confirmation = Task.FromResult<ExceptionDispatchInfo?>(ExceptionDispatchInfo.Capture(error));

    /// <summary>What has failed is to be sent again, with what was changed since.</summary>
    public void TakeBackFailed()
    {
        if (!HaveFailed || InFlight > 0) return;
        Collected = SessionChanges.Merge(Sent, Collected);
        Sent = null;
        Confirmation = Confirmed;
    }

    /// <summary>Forgets what is not confirmed; what is on its way stays on its way.</summary>
    public void Drop() => Collected = Sent = null;
}
