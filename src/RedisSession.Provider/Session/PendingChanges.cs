using System.Runtime.ExceptionServices;

namespace RedisSession.Provider;

/// <summary>
/// What one request has changed, until Redis has confirmed it. A separate object, created by the first change, because most requests only
/// read. Part of <see cref="SessionState"/> and guarded by its lock.
/// </summary>
/// <remarks>
/// A change is collected, then sent with others in one batch, then confirmed. Several batches can be in flight; they are confirmed in the
/// order of sending. A failed batch stays, along with those sent after it, so that they can be resent.
/// </remarks>
internal sealed class PendingChanges
{
    // Batch numbers: the last one sent, and the last of those resent as one.
    private int _lastSent;
    private int _lastCovered;

    // The unconfirmed batches: the first, its number, and those after it, which most requests do not have.
    private SessionChanges? _oldest;
    private int _oldestNumber;
    private List<SessionChanges>? _later;

    /// <summary>Changed but not sent yet.</summary>
    public SessionChanges? Collected { get; set; }

    /// <summary>The user that the next batch to be confirmed binds the session to; null if it binds none.</summary>
    public string? NextUser => _oldest?.User;

    /// <summary>Changes confirmed while a snapshot was in flight, which may be older.</summary>
    public SessionChanges? ConfirmedMeanwhile { get; set; }

    /// <summary>The generation of the session that these create if there is none.</summary>
    public string? NewGeneration
    {
        get;
        set
        {
            field = value;
            HasCreated = false;
        }
    }

    /// <summary>They have: an answer has said so. Another task of the request may have seen the session before that.</summary>
    public bool HasCreated { get; set; }

    public int InFlight { get; private set; }

    /// <summary>What the batches sent have failed with; null while none has.</summary>
    public ExceptionDispatchInfo? Failure { get; private set; }

    /// <summary>The last failure that was logged; null again when something is changed.</summary>
    public Exception? LoggedFailure { get; set; }

    public bool IsEmpty => Collected is null && _oldest is null;

    /// <summary>Nothing is left to send or to wait for.</summary>
    public bool AreConfirmed => Collected is null && InFlight == 0 && Failure is null;

    public bool HaveFailed => InFlight == 0 && Failure is not null;

    /// <summary>The collected changes are sent; returns the batch number.</summary>
    public int Send()
    {
        int number = ++_lastSent;
        if (_oldest is null) (_oldest, _oldestNumber) = (Collected, number);
        else (_later ??= []).Add(Collected!);
        Collected = null;
        InFlight++;
        return number;
    }

    /// <summary>
    /// The changes of batch <paramref name="number"/>, which has to be resent, and of all batches sent after it. Those may have failed the
    /// same way or not; the net effect is as if each had been applied in turn. Batches confirmed earlier are not included: others may have
    /// written since. Null if this batch was already resent with an earlier one.
    /// </summary>
    public SessionChanges? SendAgain(int number, bool evenIfCovered)
    {
        if ((number <= _lastCovered && !evenIfCovered) || _oldest is null) return null;
        _lastCovered = _lastSent;
        var changes = new SessionChanges();
        if (number <= _oldestNumber) changes.Append(_oldest);
        for (int i = Math.Max(0, number - _oldestNumber - 1); i < _later?.Count; i++) changes.Append(_later[i]);
        return changes;
    }

    /// <summary>The oldest batch is confirmed: what is in Redis now. Null if an earlier one has failed.</summary>
    public SessionChanges? Confirm()
    {
        InFlight--;
        if (Failure is not null) return null;
        var confirmed = _oldest;
        _oldest = null;
        if (_later is { Count: > 0 })
        {
            _oldest = _later[0];
            _oldestNumber++;
            _later.RemoveAt(0);
        }

        return confirmed;
    }

    /// <summary>A batch has failed.</summary>
    public void Fail(Exception error)
    {
        InFlight--;
        Failure ??= ExceptionDispatchInfo.Capture(error);
    }

    /// <summary>The unconfirmed changes cannot be sent.</summary>
    public void FailUnsent(Exception error)
    {
        if (InFlight == 0 && (Collected ?? _oldest) is not null) Failure ??= ExceptionDispatchInfo.Capture(error);
    }

    /// <summary>Collects what has failed again, with what was changed since.</summary>
    public void TakeBackFailed()
    {
        var changes = new SessionChanges();
        AppendTo(changes);
        Collected = changes.IsEmpty ? null : changes;
        (_oldest, _later) = (null, null);
        Failure = null;
    }

    /// <summary>Adds changes made after all of these.</summary>
    public void Collect(SessionChanges changes) => Collected = SessionChanges.Merge(Collected, changes);

    /// <summary>Adds all of these to <paramref name="changes"/>.</summary>
    public void AppendTo(SessionChanges changes)
    {
        if (_oldest is not null) changes.Append(_oldest);
        foreach (var later in _later ?? []) changes.Append(later);
        if (Collected is not null) changes.Append(Collected);
    }

    /// <summary>What these say about a key; false when they say nothing.</summary>
    public bool Decide(string key, out byte[]? value)
    {
        if (SessionChanges.Decide(Collected, key, out value)) return true;
        for (int i = (_later?.Count ?? 0) - 1; i >= 0; i--)
        {
            if (_later![i].Decides(key, out value)) return true;
        }

        return SessionChanges.Decide(_oldest, key, out value);
    }

    /// <summary>The session has ended: forgets what is unconfirmed; what is in flight stays in flight.</summary>
    public void Drop(ExceptionDispatchInfo? refusal)
    {
        Collected = null;
        DropSent();
        Failure = refusal;
    }

    /// <summary>The same for what was sent.</summary>
    public void DropSent()
    {
        (_oldest, _later) = (null, null);
        Failure = null;
    }
}
