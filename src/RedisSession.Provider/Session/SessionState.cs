using System.Diagnostics;
using System.Runtime.ExceptionServices;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// What a request knows of its session, what it has changed and how far those changes have got, what it owes the session, and what has
/// failed. A state machine without I/O: operations ask it what to send, send it, and bring the answers back.
/// </summary>
/// <remarks>
/// <para>Invariants, asserted in debug builds:</para>
/// <list type="number">
/// <item>Tasks of a request may share the session: every member but <see cref="Gate"/> is used inside that lock. Nothing waits inside it,
/// and everything is sent inside it, so that commands leave in the order of the application's changes.</item>
/// <item>Everything known is about <see cref="Identity"/>. An answer to a question under another identity changes nothing.</item>
/// <item>A session that has ended stays ended under its identity, and nothing is collected for it.</item>
/// <item>While the session <see cref="IsMoving"/> to another key nothing is sent that could change it.</item>
/// <item>Every unconfirmed change is collected, in flight or failed.</item>
/// </list>
/// <para>
/// A question's life: <see cref="Ask"/> → the reply → <see cref="Take"/>. A change's life: <see cref="Collect()"/> →
/// <see cref="TakeBatch"/> → the reply → <see cref="Confirm"/> or <see cref="Fail"/>.
/// </para>
/// </remarks>
internal sealed class SessionState(SessionIdentity identity)
{
    private const long Never = long.MinValue;

    private Lock? _gate;
    private PendingChanges? _pending;
    private PastFailure? _failure;
    private long _refreshedAt = Never;
    private int _snapshotsOnTheirWay;
    private int _lastSnapshotAsked;
    private int _lastSnapshotTaken;

    /// <summary>Guards everything else.</summary>
    public Lock Gate => _gate ?? Interlocked.CompareExchange(ref _gate, new(), null) ?? _gate;

    public SessionIdentity Identity { get; private set; } = identity;

    /// <summary>All keys as of some moment, and what this request has written since; null until one is taken.</summary>
    public SessionSnapshot? Snapshot { get; private set; }

    /// <summary>Something was asked or sent about the session.</summary>
    public bool HasAsked { get; private set; }

    /// <summary>Redis has answered this request.</summary>
    public bool HasAnswered { get; private set; }

    /// <summary>
    /// The first failure that reading would meet again: later operations in this request fail, or find nothing, at once. Captured once,
    /// because an exception that is rethrown as it is grows a longer stack trace each time.
    /// </summary>
    public ExceptionDispatchInfo? Failure => _failure?.Error;

    /// <summary>When that was noted, in milliseconds of the process's clock.</summary>
    public long FailedAt => _failure?.At ?? 0;

    /// <summary>Whether the application knows that a write has failed: then its response need not be broken, too.</summary>
    public FailureNotice Notice { get; set; }

    /// <summary>The session is moving to another key: changes are collected meanwhile.</summary>
    public bool IsMoving { get; private set; }

    /// <summary>What the request has done for its user's list.</summary>
    public UserListing Listing;

    /// <summary>
    /// When this request last sent something that refreshes the expiry, in milliseconds of the process's clock; null if never.
    /// </summary>
    public long? RefreshedAt => _refreshedAt == Never ? null : _refreshedAt;

    public SessionSight Sight { get; private set; }

    public bool HasEnded => Sight.IsEnded;

    /// <summary>This request has ended it itself, whatever others have done.</summary>
    public bool IsAbandoned { get; private set; }

    public bool HasSeen => !Sight.IsUnknown;

    public bool IsAbsent => Sight.IsAbsent;

    public RedisValue Generation => Sight.Generation;

    /// <summary>The same for what may be resent later, outside the lock: once the session has ended, it matches none.</summary>
    public RedisValue GenerationNow
    {
        get
        {
            lock (Gate) return HasEnded ? SessionGeneration.None : Generation;
        }
    }

    /// <summary>The unconfirmed changes; null while nothing was changed.</summary>
    public PendingChanges? Pending => _pending;

    public bool AreChangesConfirmed => _pending is null or { AreConfirmed: true };

    // Asking.

    /// <summary>
    /// True if there cannot be anything: the session has ended, or its key was created for this very request and nothing was sent under it.
    /// While the connection is down the server is asked anyway: "no session" and "no Redis" are different answers.
    /// </summary>
    public bool IsKnownToBeEmpty(bool isConnected)
    {
        AssertGuarded();
        return HasEnded || (Identity.IsNew && !HasAsked && isConnected);
    }

    /// <summary>Something is asked or sent about the session.</summary>
    public Question Ask()
    {
        AssertGuarded();
        HasAsked = true;
        return new(Identity, Sight);
    }

    /// <summary>All keys are asked for. <see cref="TakeSnapshot"/> or <see cref="NoSnapshot"/> has to follow.</summary>
    public Question AskForAll()
    {
        _snapshotsOnTheirWay++;
        return Ask() with { Snapshot = ++_lastSnapshotAsked };
    }

    /// <summary>Something was sent that resets the session's idle timeout.</summary>
    public void Refreshed(long now)
    {
        AssertGuarded();
        _refreshedAt = now;
    }

    /// <summary>Processes what an answer says about the session; null: there is no hash.</summary>
    /// <param name="question">The question it answers.</param>
    /// <param name="generation">The hash's generation.</param>
    /// <param name="hasExpired">The cookie's session no longer exists, and this is the first to find it.</param>
    public Verdict Take(in Question question, RedisValue generation, out bool hasExpired)
    {
        AssertGuarded();
        hasExpired = false;
        if (question.Identity != Identity) return Verdict.AskedUnderAnotherKey;
        bool isFirstLook = Sight.IsUnknown && !HasAnswered;
        HasAnswered = true;
        Sight = Sight.After(question.Sight, generation);
        hasExpired = isFirstLook && Sight.IsAbsent && !Identity.IsNew;
        return !HasEnded && question.Sight.Accepts(generation) ? Verdict.Accepted : Verdict.Ended;
    }

    /// <summary>
    /// A snapshot has arrived and was judged. It is kept, with what this request confirmed while it was in flight, unless one requested
    /// later arrived first.
    /// </summary>
    public void TakeSnapshot(in Question question, SessionSnapshot snapshot)
    {
        AssertGuarded();

        // A copy: others may be in flight.
        if (!HasEnded && _pending?.ConfirmedMeanwhile is { } changes) snapshot.Apply(SessionChanges.Merge(new(), changes));
        if (HasEnded || question.Snapshot > _lastSnapshotTaken) (Snapshot, _lastSnapshotTaken) = (snapshot, question.Snapshot);
        _failure = null;
        NoSnapshot();
    }

    /// <summary>A requested snapshot has arrived and is not kept, or will not arrive.</summary>
    public void NoSnapshot()
    {
        AssertGuarded();
        if (--_snapshotsOnTheirWay == 0 && _pending is not null) _pending.ConfirmedMeanwhile = null;
    }

    /// <summary>There is nothing, as <see cref="IsKnownToBeEmpty"/> says: no need to ask for it.</summary>
    public void TakeEmptySnapshot()
    {
        AssertGuarded();
        Snapshot = SessionSnapshot.Empty();
    }

    /// <summary>The next read that needs a snapshot takes another.</summary>
    public void DropSnapshot()
    {
        AssertGuarded();
        Snapshot = null;
    }

    /// <summary>Records what the request knows of the session: it is no longer unknown.</summary>
    public void Settle(in Question question, RedisValue generation)
    {
        AssertGuarded();
        if (question.Identity != Identity) return;
        if (!generation.IsNull) Sight = Sight.After(SessionSight.Unknown, generation);
        else if (Sight.IsUnknown) Sight = SessionSight.Absent;
    }

    // Changing.

    /// <summary>The collected changes, to add to.</summary>
    public SessionChanges Collect()
    {
        AssertGuarded();
        Notice = FailureNotice.None;
        PendingOrNew.LoggedFailure = null;
        return PendingOrNew.Collected ??= new();
    }

    /// <summary>Adds changes made after all others.</summary>
    public void Collect(SessionChanges changes)
    {
        AssertGuarded();
        Notice = FailureNotice.None;
        PendingOrNew.LoggedFailure = null;
        PendingOrNew.Collect(changes);
    }

    /// <summary>What this request's own unconfirmed changes say about a key; false when they say nothing.</summary>
    public bool TryGetOwn(string key, out byte[]? value)
    {
        value = null;
        if (_pending is null) return false;
        lock (Gate) return _pending.Decide(key, out value);
    }

    /// <summary>A copy of this request's own unconfirmed changes.</summary>
    public SessionChanges CopyOwn()
    {
        AssertGuarded();
        var own = new SessionChanges();
        _pending?.AppendTo(own);
        return own;
    }

    /// <summary>Whether the collected changes may be sent now: not ended, not moving, and nothing earlier has failed.</summary>
    public bool MaySend => _pending is { Collected: not null, HaveFailed: false } && !HasEnded && !IsMoving;

    /// <summary>Takes the collected changes, to be sent as one script: see <see cref="MaySend"/>.</summary>
    public Batch TakeBatch()
    {
        AssertGuarded();
        Debug.Assert(MaySend, "Nothing may be sent.");
        return new(Ask(), _pending!.Send());
    }

    /// <summary>
    /// The changes to resend for a batch that was not made, or may not have been, and for those sent after it. Null if they have been
    /// resent by now, or the session has ended.
    /// </summary>
    public SessionChanges? TakeAgain(ref Batch batch, bool evenIfCovered)
    {
        AssertGuarded();
        batch = batch with { Question = Ask() };
        return HasEnded ? null : _pending!.SendAgain(batch.Number, evenIfCovered);
    }

    /// <summary>
    /// The generation of a session that a script may create; empty if the session was seen, so that none is created, or may have to be
    /// taken over first.
    /// </summary>
    public string NewGeneration(bool mayBeLegacy)
    {
        AssertGuarded();
        if (Sight.Generation.IsNull && !mayBeLegacy) PendingOrNew.NewGeneration ??= SessionGeneration.Create();
        return _pending?.NewGeneration ?? "";
    }

    /// <summary>Processes Redis's answer to a batch.</summary>
    /// <param name="batch">Which one.</param>
    /// <param name="reply">The change script's answer.</param>
    /// <param name="created">It created the session.</param>
    /// <returns>False when the session has ended: the changes are dropped.</returns>
    public bool Confirm(in Batch batch, in ChangeReply reply, out bool created)
    {
        AssertGuarded();
        created = TakeReply(batch.Question, reply);
        var confirmed = _pending!.Confirm();
        if (HasEnded) return IsDone(confirmed);
        if (confirmed is not null) TakeIn(confirmed);
        return true;
    }

    /// <summary>A batch has failed: its changes can be sent again.</summary>
    public void Fail(Exception error)
    {
        AssertGuarded();
        _pending!.Fail(error);
    }

    /// <summary>
    /// Processes what a script says about the session; true if it created it. An answer that arrives after a key renewal says nothing.
    /// </summary>
    public bool TakeReply(in Question question, in ChangeReply reply)
    {
        AssertGuarded();
        if (question.Identity != Identity) return false;
        HasAnswered = true;
        bool created = _pending is { NewGeneration: { } newGeneration, HasCreated: false } && reply.Generation == newGeneration;
        if (created) _pending!.HasCreated = true;
        Sight = reply.Ended ? Sight.Ended() : Sight.After(question.Sight, reply.Generation);
        return created;
    }

    /// <summary>
    /// Applies what is now in Redis; <paramref name="changes"/> must not be used afterwards. A snapshot in flight may be older.
    /// </summary>
    public void TakeIn(SessionChanges changes)
    {
        AssertGuarded();
        if (_snapshotsOnTheirWay > 0) (PendingOrNew.ConfirmedMeanwhile ??= new()).Append(changes);
        Snapshot?.Apply(changes);
    }

    /// <summary>Applies what a key holds in Redis, unless the request has changed it since.</summary>
    public void TakeIn(string key, byte[]? value)
    {
        AssertGuarded();
        if (_pending is not null && _pending.Decide(key, out _)) return;
        var found = new SessionChanges();
        if (value is null) found.Remove(key);
        else found.Set(key, value);
        TakeIn(found);
    }

    /// <summary>
    /// Whether the session has ended, and changes were collected for it. Those that only remove are done, if this request has ended it: where
    /// another has, the session may go on under another key.
    /// </summary>
    public bool IsCollectedRefused()
    {
        AssertGuarded();
        if (_pending is not { Collected: { } collected } || !HasEnded) return false;
        if (!IsDone(collected)) return true;
        _pending.Collected = null;
        return false;
    }

    /// <summary>The session has ended, and the changes are dropped. Each confirmation still to come reports that itself.</summary>
    public void Refuse(Exception refusal)
    {
        AssertGuarded();
        var pending = PendingOrNew;
        pending.Drop(pending.InFlight == 0 ? ExceptionDispatchInfo.Capture(refusal) : null);
    }

    private bool IsDone(SessionChanges? changes) => IsAbandoned && changes is { OnlyRemoves: true };

    // Failing.

    /// <summary>True when this is the first failure of the request.</summary>
    public bool FailReading(Exception error, long now)
    {
        AssertGuarded();
        if (_failure is not null) return false;
        _failure = new(ExceptionDispatchInfo.Capture(error), now);
        return true;
    }

    /// <summary>What reading has met is over.</summary>
    public void ForgetFailure()
    {
        AssertGuarded();
        _failure = null;
    }

    /// <summary>Records that the changes cannot be written.</summary>
    /// <param name="error">Why.</param>
    /// <param name="isOutage">Reading would fail in the same way.</param>
    /// <param name="now">In milliseconds of the process's clock.</param>
    /// <param name="isLogged">It was logged when reading failed.</param>
    /// <returns>
    /// False if it has been logged: each later confirmation meets the same failure, and a retry that fails again says nothing new.
    /// </returns>
    public bool FailWriting(Exception error, bool isOutage, long now, out bool isLogged)
    {
        AssertGuarded();
        var pending = PendingOrNew;
        isLogged = ReferenceEquals(Failure?.SourceException, error);
        if (ReferenceEquals(pending.LoggedFailure, error)) return false;
        bool isNews = pending.LoggedFailure is null || pending.IsEmpty;
        pending.LoggedFailure = error;
        if (isOutage) FailReading(error, now);
        pending.FailUnsent(error);
        return isNews;
    }

    /// <summary>Prepares to retry what has failed, unless the session has ended. True if nothing sent before counts any more.</summary>
    public bool Retry()
    {
        AssertGuarded();
        if (HasEnded) return false;
        _failure = null;
        if (_pending is not { HaveFailed: true }) return false;
        _pending.TakeBackFailed();
        return true;
    }

    // Moving and ending.

    /// <summary>From here to <see cref="Moved"/> or <see cref="Stay"/> nothing may be sent that changes the session.</summary>
    public void Move()
    {
        Debug.Assert(!IsMoving && (_pending is null or { InFlight: 0 }), "Something is under way.");
        Hold();
    }

    /// <summary>The same, whatever is in flight: the session is about to end.</summary>
    public void Hold()
    {
        AssertGuarded();
        IsMoving = true;
    }

    /// <summary>The session is under another key now, as a hash of <paramref name="generation"/>.</summary>
    public void Moved(SessionIdentity identity, RedisValue generation, long now)
    {
        Stay();
        if (HasEnded) Snapshot = null; // it said that there was nothing
        Identity = identity;
        Sight = SessionSight.Present(generation);
        HasAsked = true;
        _refreshedAt = now;
        _failure = null;
        if (_pending is not null) _pending.NewGeneration = null;
    }

    /// <summary>The session keeps its key.</summary>
    public void Stay()
    {
        AssertGuarded();
        IsMoving = false;
    }

    /// <summary>Drops the collected changes, and the snapshot: what was confirmed under them is not in it.</summary>
    public void DropCollected()
    {
        AssertGuarded();
        if (_pending?.Collected is null) return;
        _pending.Collected = null;
        Snapshot = null;
    }

    /// <summary>The request has ended its session itself.</summary>
    public void End()
    {
        AssertGuarded();
        (Sight, IsAbandoned) = (Sight.Ended(), true);
        HasAsked = true;
        Snapshot = SessionSnapshot.Empty();
        _pending?.DropSent(); // later changes are refused when they are to be confirmed
    }

    /// <summary>The session was found to have ended.</summary>
    public void FoundEnded() => Sight = Sight.Ended();

    private PendingChanges PendingOrNew => _pending ??= new();

    [Conditional("DEBUG")]
    private void AssertGuarded() => Debug.Assert(Gate.IsHeldByCurrentThread, "The session's state is used outside of its lock.");
}

/// <summary>What reading has met, and when.</summary>
internal sealed record PastFailure(ExceptionDispatchInfo Error, long At);

/// <summary>Changes that are sent as one script.</summary>
/// <param name="Question">What was known when they were sent.</param>
/// <param name="Number">The number of the batch within the request.</param>
internal readonly record struct Batch(Question Question, int Number);

/// <summary>Whether the application knows that a write has failed.</summary>
internal enum FailureNotice
{
    None,

    /// <summary>It was thrown to whoever wrote into the response body. Nobody may have awaited that.</summary>
    IntoBody,

    /// <summary>A call has thrown it, or the response says so.</summary>
    Given,
}
