using System.Runtime.ExceptionServices;

namespace RedisSession.Provider;

/// <summary>
/// What one request has changed, until Redis has confirmed it. An object of its own, made by the first change, because most requests only
/// read. Part of <see cref="SessionState"/>, and guarded by its lock.
/// </summary>
/// <remarks>
/// A change is collected, then sent with others in one batch, then confirmed. Several batches can be under way. What has failed stays in
/// <see cref="Sent"/>, so that it can be sent again.
/// </remarks>
internal sealed class PendingChanges
{
    // Batches are numbered. Up to this number their changes have been sent once more, in one.
    private int _lastSent;
    private int _lastCovered;

    /// <summary>Changed and not sent yet.</summary>
    public SessionChanges? Collected { get; set; }

    /// <summary>The net effect of all batches that are under way, or have failed.</summary>
    public SessionChanges? Sent { get; private set; }

    /// <summary>Confirmed while a snapshot was on its way, which may be older than they are.</summary>
    public SessionChanges? ConfirmedMeanwhile { get; set; }

    /// <summary>The generation of the session that these make, where there is none.</summary>
    public string? NewGeneration { get; set; }

    public int InFlight { get; private set; }

    /// <summary>What the batches that are sent have failed with; null while nothing has.</summary>
    public ExceptionDispatchInfo? Failure { get; private set; }

    /// <summary>The last failure that was logged; null again when something is changed.</summary>
    public Exception? LoggedFailure { get; set; }

    /// <summary>Nothing is left to send or to wait for.</summary>
    public bool AreConfirmed => Collected is null && InFlight == 0 && Failure is null;

    public bool HaveFailed => InFlight == 0 && Failure is not null;

    /// <summary>What is collected is sent: the number of the batch.</summary>
    public int Send()
    {
        Sent = SessionChanges.Merge(Sent, Collected);
        Collected = null;
        InFlight++;
        return ++_lastSent;
    }

    /// <summary>
    /// True when the changes of batch <paramref name="number"/> still have to be sent once more. Then all that are unconfirmed are, in one:
    /// others that were sent behind it may have met the same, or not, and the net effect of all leaves the session as if each had been
    /// applied in its turn.
    /// </summary>
    public bool SendAgain(int number, bool evenIfCovered)
    {
        if (number <= _lastCovered && !evenIfCovered) return false;
        _lastCovered = _lastSent;
        return Sent is not null;
    }

    /// <summary>A batch is confirmed. What is in Redis now, once nothing else is under way; else null.</summary>
    public SessionChanges? Confirm()
    {
        InFlight--;
        if (InFlight > 0 || Failure is not null) return null;
        var confirmed = Sent;
        Sent = null;
        return confirmed;
    }

    /// <summary>A batch has failed.</summary>
    public void Fail(Exception error)
    {
        InFlight--;
        Failure ??= ExceptionDispatchInfo.Capture(error);
    }

    /// <summary>What is unconfirmed cannot be sent.</summary>
    public void FailUnsent(Exception error)
    {
        if (InFlight == 0 && (Collected ?? Sent) is not null) Failure ??= ExceptionDispatchInfo.Capture(error);
    }

    /// <summary>What has failed is to be sent again, with what was changed since.</summary>
    public void TakeBackFailed()
    {
        Collected = SessionChanges.Merge(Sent, Collected);
        Sent = null;
        Failure = null;
    }

    /// <summary>Adds what was changed after all of these.</summary>
    public void Collect(SessionChanges changes) => Collected = SessionChanges.Merge(Collected, changes);

    /// <summary>What these say about a key; false when they say nothing.</summary>
    public bool Decide(string key, out byte[]? value) =>
        SessionChanges.Decide(Collected, key, out value) || SessionChanges.Decide(Sent, key, out value);

    /// <summary>The session has ended: forgets what is not confirmed; what is under way stays under way.</summary>
    public void Drop(ExceptionDispatchInfo? refusal)
    {
        Collected = Sent = null;
        Failure = refusal;
    }
}
