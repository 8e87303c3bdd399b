using System.Diagnostics;
using System.Runtime.ExceptionServices;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// What a request knows of its session, what it has changed and how far that is on its way, what it owes the session, and what has failed. A
/// machine without input and output: operations ask it what to send, send it, and bring the answers back.
/// </summary>
/// <remarks>
/// <para>Invariants, asserted in debug builds:</para>
/// <list type="number">
/// <item>Tasks of a request may share the session: every member but <see cref="Gate"/> is used inside that lock. Nobody waits inside it, and
/// what is sent is sent inside it, so that commands leave in the order in which the application made its changes.</item>
/// <item>What is known is known of <see cref="Identity"/>. The answer to a question under another identity changes nothing.</item>
/// <item>A session that has ended stays ended under its identity, and nothing is collected for it.</item>
/// <item>While the session <see cref="IsMoving"/> to another key nothing is sent that could change it.</item>
/// <item>Nothing is unconfirmed that is neither collected, nor under way, nor failed.</item>
/// </list>
/// <para>
/// A question's life: <see cref="Ask"/> → the reply → <see cref="Take"/>. A change's life: <see cref="Collect()"/> → <see cref="TakeBatch"/> →
/// the reply → <see cref="Confirm"/> or <see cref="Fail"/>.
/// </para>
/// </remarks>
internal sealed class SessionState(SessionIdentity identity)
{
    private Lock? _gate;
    private PendingChanges? _pending;
    private int _snapshotsOnTheirWay;
    private int _lastSnapshotAsked;
    private int _lastSnapshotTaken;

    /// <summary>Guards everything else.</summary>
    public Lock Gate => _gate ?? Interlocked.CompareExchange(ref _gate, new(), null) ?? _gate;

    public SessionIdentity Identity { get; private set; } = identity;

    /// <summary>All keys as of some moment, and what this request has written since; null while none was taken.</summary>
    public SessionSnapshot? Snapshot { get; private set; }

    /// <summary>Something was asked or sent about the session.</summary>
    public bool HasAsked { get; private set; }

    /// <summary>Redis has answered this request.</summary>
    public bool HasAnswered { get; private set; }

    /// <summary>
    /// The first failure that reading would meet again: what comes after it in this request fails, or finds nothing, at once. Captured once,
    /// because an exception that is thrown again and again as it is grows a longer stack trace each time.
    /// </summary>
    public ExceptionDispatchInfo? Failure { get; private set; }

    /// <summary>The application has been told of a failed write by an exception of a call it made: no need to break its response too.</summary>
    public bool FailureIsTold { get; set; }

    /// <summary>The session is on its way to another key: what is changed meanwhile is collected.</summary>
    public bool IsMoving { get; private set; }

    /// <summary>What the request has done for the list of its user.</summary>
    public UserListing Listing;

    /// <summary>When this request last sent something that refreshes the expiry, in milliseconds of the process's clock; null: not yet.</summary>
    public long? RefreshedAt { get; private set; }

    public SessionSight Sight { get; private set; }

    public bool HasEnded => Sight.IsEnded;

    public bool HasSeen => !Sight.IsUnknown;

    public bool IsAbsent => Sight.IsAbsent;

    public RedisValue Generation => Sight.Generation;

    /// <summary>The same for what may have to be sent again later, outside of the lock: what has ended then is none of theirs.</summary>
    public RedisValue GenerationNow
    {
        get
        {
            lock (Gate) return HasEnded ? SessionGeneration.None : Generation;
        }
    }

    /// <summary>What is changed and unconfirmed; null while nothing was changed.</summary>
    public PendingChanges? Pending => _pending;

    public bool AreChangesConfirmed => _pending is null or { AreConfirmed: true };

    // Asking.

    /// <summary>
    /// True when there cannot be anything: the session has ended; or its key was made for this very request and nothing was sent under it.
    /// While the connection is down the server is asked all the same: "no session" and "no Redis" are different answers.
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

    /// <summary>Something was sent that gives the session its whole idle timeout.</summary>
    public void Refreshed(long now)
    {
        AssertGuarded();
        RefreshedAt = now;
    }

    /// <summary>Takes in what an answer says about the session; null: there is no hash.</summary>
    /// <param name="question">What it is the answer to.</param>
    /// <param name="generation">The hash's generation.</param>
    /// <param name="hasExpired">The cookie names a session that is no more, which this is the first to find.</param>
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
    /// A snapshot has arrived, and was judged: it is kept, with what this request has confirmed while it was on its way, unless one that was
    /// asked for later has come first.
    /// </summary>
    public void TakeSnapshot(in Question question, SessionSnapshot snapshot)
    {
        AssertGuarded();

        // A copy: others may be on their way.
        if (!HasEnded && _pending?.ConfirmedMeanwhile is { } changes) snapshot.Apply(SessionChanges.Merge(new(), changes));
        if (HasEnded || question.Snapshot > _lastSnapshotTaken) (Snapshot, _lastSnapshotTaken) = (snapshot, question.Snapshot);
        Failure = null;
        NoSnapshot();
    }

    /// <summary>A snapshot that was asked for has arrived and is not kept, or does not arrive.</summary>
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

    /// <summary>What the request knows of the session from now on, which is more than nothing.</summary>
    public void Settle(in Question question, RedisValue generation)
    {
        AssertGuarded();
        if (question.Identity != Identity) return;
        if (!generation.IsNull) Sight = Sight.After(SessionSight.Unknown, generation);
        else if (Sight.IsUnknown) Sight = SessionSight.Absent;
    }

    // Changing.

    /// <summary>What is collected, to be added to.</summary>
    public SessionChanges Collect()
    {
        AssertGuarded();
        FailureIsTold = false;
        PendingOrNew.LoggedFailure = null;
        return PendingOrNew.Collected ??= new();
    }

    /// <summary>Adds what was changed after all else.</summary>
    public void Collect(SessionChanges changes)
    {
        AssertGuarded();
        FailureIsTold = false;
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

    /// <summary>Whether what is collected may be sent now: it has not ended, is not moving, and nothing before it has failed.</summary>
    public bool MaySend => _pending is { Collected: not null, HaveFailed: false } && !HasEnded && !IsMoving;

    /// <summary>Takes what is collected, to be sent as one script: see <see cref="MaySend"/>.</summary>
    public Batch TakeBatch()
    {
        AssertGuarded();
        Debug.Assert(MaySend, "Nothing may be sent.");
        return new(Ask(), _pending!.Send());
    }

    /// <summary>
    /// The changes of a batch that was not made, or may not have been, to be sent once more, with those that were sent behind it. Null where
    /// somebody else has sent them by now, or the session has ended.
    /// </summary>
    public SessionChanges? TakeAgain(ref Batch batch, bool evenIfCovered)
    {
        AssertGuarded();
        batch = batch with { Question = Ask() };
        return HasEnded ? null : _pending!.SendAgain(batch.Number, evenIfCovered);
    }

    /// <summary>
    /// The generation of the session that a script may make; empty for one that was seen, of which none is made, and for one that may have
    /// to be taken over first.
    /// </summary>
    public string NewGeneration(bool mayBeLegacy)
    {
        AssertGuarded();
        if (Sight.Generation.IsNull && !mayBeLegacy) PendingOrNew.NewGeneration ??= SessionGeneration.Create();
        return _pending?.NewGeneration ?? "";
    }

    /// <summary>Takes in what Redis says to a batch.</summary>
    /// <param name="batch">Which one.</param>
    /// <param name="reply">What the change script has answered.</param>
    /// <param name="created">It has made the session.</param>
    /// <returns>False when the session has ended: what was changed is dropped.</returns>
    public bool Confirm(in Batch batch, in ChangeReply reply, out bool created)
    {
        AssertGuarded();
        created = TakeReply(batch.Question, reply);
        var confirmed = _pending!.Confirm();
        if (HasEnded) return false;
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
    /// Takes in what a script says about the session; true when it has made it. An answer that comes when the key was renewed says nothing.
    /// </summary>
    public bool TakeReply(in Question question, in ChangeReply reply)
    {
        AssertGuarded();
        if (question.Identity != Identity) return false;
        HasAnswered = true;
        string? newGeneration = _pending?.NewGeneration;
        bool created = newGeneration is not null && reply.Generation == newGeneration && Sight.Generation.IsNull;
        Sight = reply.Ended ? SessionSight.Ended : Sight.After(question.Sight, reply.Generation);
        return created;
    }

    /// <summary>
    /// Takes in what is in Redis now; <paramref name="changes"/> are not to be used on. A snapshot that is on its way may be older.
    /// </summary>
    public void TakeIn(SessionChanges changes)
    {
        AssertGuarded();
        if (_snapshotsOnTheirWay > 0) (PendingOrNew.ConfirmedMeanwhile ??= new()).Append(changes);
        Snapshot?.Apply(changes);
    }

    /// <summary>Takes in what a key holds in Redis, unless the request has changed it since.</summary>
    public void TakeIn(string key, byte[]? value)
    {
        AssertGuarded();
        if (_pending is not null && _pending.Decide(key, out _)) return;
        var found = new SessionChanges();
        if (value is null) found.Remove(key);
        else found.Set(key, value);
        TakeIn(found);
    }

    /// <summary>The session has ended, and what was changed is dropped. Each confirmation that still comes says so itself.</summary>
    public void Refuse(Exception refusal)
    {
        AssertGuarded();
        var pending = PendingOrNew;
        pending.Drop(pending.InFlight == 0 ? ExceptionDispatchInfo.Capture(refusal) : null);
    }

    // Failing.

    /// <summary>True when this is the first failure of the request.</summary>
    public bool FailReading(Exception error)
    {
        AssertGuarded();
        if (Failure is not null) return false;
        Failure = ExceptionDispatchInfo.Capture(error);
        return true;
    }

    /// <summary>Takes in that what was changed cannot be written.</summary>
    /// <param name="error">Why.</param>
    /// <param name="isOutage">Reading would fail in the same way.</param>
    /// <param name="isLogged">It was logged when reading failed.</param>
    /// <returns>
    /// False when it has been logged: the same failure is met again by each later confirmation, and what is tried once more and fails again
    /// says nothing new.
    /// </returns>
    public bool FailWriting(Exception error, bool isOutage, out bool isLogged)
    {
        AssertGuarded();
        var pending = PendingOrNew;
        isLogged = ReferenceEquals(Failure?.SourceException, error);
        if (ReferenceEquals(pending.LoggedFailure, error)) return false;
        bool isNews = pending.LoggedFailure is null || pending.IsEmpty;
        pending.LoggedFailure = error;
        if (isOutage) Failure ??= ExceptionDispatchInfo.Capture(error);
        pending.FailUnsent(error);
        return isNews;
    }

    /// <summary>What has failed is to be tried again; what has ended is not. True when nothing that was sent before counts any more.</summary>
    public bool Retry()
    {
        AssertGuarded();
        if (HasEnded) return false;
        Failure = null;
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

    /// <summary>The same, whatever is under way: the session is to end.</summary>
    public void Hold()
    {
        AssertGuarded();
        IsMoving = true;
    }

    /// <summary>The session is under another key now, as a hash of <paramref name="generation"/>.</summary>
    public void Moved(SessionIdentity identity, RedisValue generation, long now)
    {
        Stay();
        if (HasEnded) Snapshot = null; // it said that there is nothing
        Identity = identity;
        Sight = SessionSight.Present(generation);
        HasAsked = true;
        RefreshedAt = now;
        Failure = null;
        if (_pending is not null) _pending.NewGeneration = null;
    }

    /// <summary>The session keeps its key.</summary>
    public void Stay()
    {
        AssertGuarded();
        IsMoving = false;
    }

    /// <summary>What is collected is not to be sent.</summary>
    public void DropCollected()
    {
        AssertGuarded();
        if (_pending is not null) _pending.Collected = null;
    }

    /// <summary>The request has ended its session itself.</summary>
    public void End()
    {
        AssertGuarded();
        Sight = SessionSight.Ended;
        HasAsked = true;
        Snapshot = SessionSnapshot.Empty();
        _pending?.DropSent(); // what was changed since is refused when it is to be confirmed
    }

    /// <summary>The session is found to have ended.</summary>
    public void FoundEnded() => Sight = SessionSight.Ended;

    private PendingChanges PendingOrNew => _pending ??= new();

    [Conditional("DEBUG")]
    private void AssertGuarded() => Debug.Assert(Gate.IsHeldByCurrentThread, "The session's state is used outside of its lock.");
}

/// <summary>Changes that are sent as one script.</summary>
/// <param name="Question">What was known when they were sent.</param>
/// <param name="Number">The batches of a request are numbered.</param>
internal readonly record struct Batch(Question Question, int Number);
