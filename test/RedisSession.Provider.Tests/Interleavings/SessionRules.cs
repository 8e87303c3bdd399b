using System.Text.Json;

namespace RedisSession.Provider.Tests;

/// <summary>
/// What may become of a session, whichever way the tasks of a request and other requests interleave. It sees the server's side (what each
/// command leaves) and the application's (when a call began, when it ended and with what), and nothing between.
/// </summary>
/// <remarks>
/// <para>
/// A <b>life</b> is a session from its beginning to its end, whatever its key; a request <b>has seen</b> a life once a call has succeeded
/// to which a reply named it. The rules:
/// </para>
/// <list type="number">
/// <item>A life ends only by who ends it: the request's Abandon, others, its expiry.</item>
/// <item>A call says "ended" only if it has. It fails only if a command did.</item>
/// <item>What has been seen and has ended gets nothing any more, nor does what lives in its place. Nothing survives its Abandon.</item>
/// <item>A read answers what was there while it ran, or since the snapshot; what the request wrote before comes first.</item>
/// <item>What is confirmed is there, in the order in which the application made it. Increments and updates are there once each.</item>
/// <item>At the end the session is under the key that the client knows, and nowhere else, with its user, in his list.</item>
/// <item>Nobody takes the lock of a session that another holds. Once another has taken it, because the lease has ended, whoever held it
/// writes nothing, and is told so.</item>
/// <item>Nothing lacks a TTL.</item>
/// <item>When every reply has arrived, every call has ended.</item>
/// </list>
/// </remarks>
internal sealed class SessionRules
{
    private const string Generation = "@gen";
    private const string GivesUp = $"{nameof(LockScripts)}.{nameof(LockScripts.GiveUp)}";
    private const string ReadsPortion = $"{nameof(RenewalScripts)}.{nameof(RenewalScripts.Read)}";
    private const string WritesPortion = $"{nameof(RenewalScripts)}.{nameof(RenewalScripts.Write)}";

    private readonly Plan _plan;
    private readonly Wire _wire;
    private readonly RedisInMemory _redis;
    private readonly Func<string> _keyNow;
    private readonly string _firstKey;
    private readonly string _blobKey;

    private readonly Dictionary<string, int> _lives = []; // by generation
    private readonly HashSet<int> _ofOthers = []; // lives that others have begun
    private readonly List<string> _keys = []; // that have had a session
    private readonly List<Moment> _moments = [];
    private readonly List<Write> _writes = [];
    private readonly HashSet<string> _taken = [];
    private readonly HashSet<string> _takenMeanwhile = [];

    private int _lastLife;
    private int _seen;
    private int _seenAt = Operation.Never;
    private int _revealed;
    private bool _sawTwo; // replies told of two lives
    private int _ends;
    private int _lastEnd;
    private int _endBefore;
    private Operation? _abandon;
    private Operation? _binding;
    private bool _isUsed; // the request has asked for the session or changed it
    private bool _responds;
    private bool _responseFailed;
    private bool _renews;
    private string _keyOfClient;
    private bool _mayHaveSnapshot;
    private readonly List<Operation> _reloads = [];
    private readonly List<Operation> _snapshots = []; // what asks for one
    private (RedisEntry? Entry, int Version)[] _before = [];
    private string? _lockBefore;
    private int _movesSince = Operation.Never; // when its key began to be renewed
    private bool _isOldEnded; // the copied one, by others, before the response was there
    private int _endedOld; // and before the renewal was finished
    private bool _isFinishing;
    private Operation? _locking; // what has taken the lock
    private int _unlockedAt = Operation.Never; // when it began to give it back
    private int _lostAt = Operation.Never; // when another has taken it
    private bool _otherHolds;
    private bool _mayBeLost; // the lease has ended

    public SessionRules(Plan plan, Wire wire, Func<string> keyNow, string blobKey)
    {
        (_plan, _wire, _redis, _keyNow, _blobKey) = (plan, wire, wire.Redis, keyNow, blobKey);
        _firstKey = _keyOfClient = keyNow();
        _keys.Add(_firstKey);
        if (plan.Start is Start.Present or Start.Legacy) _lastLife = 1;
        if (_redis.HashAt(_firstKey) is { } hash) _lives[hash[Generation]] = 1;
        _moments.Add(Now());
        foreach (string key in Keys) _writes.Add(new(null, key, ValueIn(_moments[0], key), 0) { End = 0 });
    }

    /// <summary>Two for plain values, one that is counted, one of JSON.</summary>
    public static string[] Keys { get; } = ["a", "b", "n", "u"];

    public const string Counter = "n";
    public const string Json = "u";

    public static Dictionary<string, string> Initial { get; } = new() { ["a"] = "old", [Counter] = "10" };

    /// <summary>The first rule that was broken.</summary>
    public string? Broken { get; private set; }

    /// <summary>How many commands have failed.</summary>
    public int Faults { get; set; }

    /// <summary>What another request is doing.</summary>
    public Verb OthersVerb { get; set; }

    /// <summary>A renewal that cannot be finished with the response is undone: then the request has no session any more.</summary>
    private bool MayBeUndone => _renews && (Faults > 0 || _isOldEnded || _responseFailed);

    public void Break(string what) => Broken ??= what;

    public void Executing(Command command)
    {
        _before = Array.ConvertAll(command.Keys, key =>
            _redis.Keys.GetValueOrDefault(key) is { } entry ? (entry, entry.Version) : default((RedisEntry?, int)));
        _lockBefore = command.Keys is [var first, ..] ? _redis.HashAt(first)?.GetValueOrDefault("@lock") : null;
    }

    public void Executed(Command command)
    {
        for (int i = 0; i < command.Keys.Length; i++)
        {
            string key = command.Keys[i];
            var entry = _redis.Keys.GetValueOrDefault(key);
            if (entry is { TimeToLive: null }) Break($"{command} leaves {key} without a TTL");
            if (!IsSession(key) || entry?.Hash is not { } hash) continue;
            if (!hash.TryGetValue(Generation, out string? generation)) Break($"{command} leaves {key} without a generation");
            else if (generation[0] != '~') CheckWrite(command, key, generation, _before[i].Entry, _before[i] != (entry, entry.Version));
        }

        _isFinishing |= command.By?.Verb == Verb.Respond && Is(command, nameof(RenewalScripts));
        bool moves = IsRenewal(command.By) && Is(command, nameof(RenewalScripts));
        if (moves) _movesSince = Math.Min(_movesSince, _wire.Now);
        Look(command.By?.Verb ?? OthersVerb, command);
    }

    /// <summary>Not where one waits whose key was renewed, in case that the response does not arrive: nobody can get at that.</summary>
    private static bool IsSession(string key) => key.StartsWith("sessions:", StringComparison.Ordinal) && !key.Contains('{');

    public void Delivering(Command command)
    {
        // What keeps the list of the user is none of the session's business, and a blob only says which session it has become.
        if (command.Failure is not null || ForUser(command) || command.Keys.Contains(_blobKey)) return;
        if (command.By is { } by && command.Reply is object?[] && Is(command, ReadsPortion)) by.Lives.Clear(); // it goes by the last one
        Reveal(command.By, command.Reply);
    }

    private static bool ForUser(Command command) => Is(command, nameof(UserScripts));

    private static bool Is(Command command, string scripts) =>
        command.Script is { } script && LuaScripts.NameOf(script).StartsWith(scripts, StringComparison.Ordinal);

    /// <summary>Notes what the session is now, and that it has ended. By whom it has: null where nobody can have ended it.</summary>
    public void Look(Verb? by, Command? command = null)
    {
        LookAtOld();
        var (before, now) = (_moments[^1], Now());
        if (before.Life == now.Life && before.Entry == now.Entry && before.Version == now.Version) return;
        _moments.Add(now);
        if (before.Life == 0 || before.Life == now.Life) return;

        bool mayEnd = _ends > 0 || _abandon is not null || MayBeUndone || command is { By: null } || by is Verb.Abandon or >= Verb.OtherSets;
        if (!mayEnd) Break($"the session is lost: {(command is null ? "the request looks for it elsewhere" : command.ToString())}");
        _ends++;

        // Whose key this request is renewing as well goes on with it, with all that was confirmed before.
        bool goesOn = by == Verb.OtherRenews && _movesSince != Operation.Never;
        (_endBefore, _lastEnd) = (_lastEnd, goesOn ? _lastEnd : _wire.Now);
    }

    /// <summary>What others end under the old key, or where another renewal has parked it, ends with that for this request as well.</summary>
    private void LookAtOld()
    {
        if (_isOldEnded || RenewsNothing || _keyOfClient != _firstKey) return;
        int copied = _keys.Where(key => key != _firstKey).Select(LifeAt).FirstOrDefault(life => IsOwn(life) || (life > 0 && life == _seen));
        if (copied == 0 || copied == LifeAt(_firstKey) || copied == LifeAt(Parked) || IsLeft) return;
        _isOldEnded = true;
        if (!_isFinishing) _endedOld = copied;
    }

    public void Started(Operation operation)
    {
        if (operation.Verb == Verb.Abandon) _abandon ??= operation;
        if (operation.Verb is Verb.Load or Verb.Reload or Verb.Lock) _mayHaveSnapshot = true;
        if (operation.Verb is Verb.Load or Verb.Reload or Verb.Lock or Verb.Get or Verb.Keys) _snapshots.Add(operation);
        bool unlocks = operation.Verb is Verb.Unlock or Verb.Respond or Verb.EndRequest or Verb.Abandon;
        if (unlocks && _locking is not null) _unlockedAt = Math.Min(_unlockedAt, operation.Start);
        if (operation.Verb == Verb.Respond) _responds = true;
        if (IsRenewal(operation)) _renews = true;
        switch (operation.Verb)
        {
            case Verb.Set or Verb.SetAsync:
                Write(operation.Value, isPlain: true, operation.Key);
                break;
            case Verb.Remove or Verb.RemoveAsync:
                Write(null, isPlain: true, operation.Key);
                break;
            case Verb.Clear:
                Write(null, isPlain: true, Keys);
                break;
            case Verb.Take:
                Write(null, isPlain: false, operation.Key);
                break;
            case Verb.TrySet or Verb.Update or Verb.Increment:
                Write(operation.Value, isPlain: false, operation.Key);
                break;
        }

        void Write(string? value, bool isPlain, params string[] keys)
        {
            foreach (string key in keys) _writes.Add(new(operation, key, value, operation.Start) { IsPlain = isPlain });
        }
    }

    public void Ended(Operation operation)
    {
        if (operation.Error is not { } error)
        {
            Succeeded(operation);
            return;
        }

        CheckFailure(operation, error);
        _responseFailed |= operation.Verb == Verb.Respond;
        if (error is not SessionEndedException) return;
        foreach (var write in _writes) write.IsRefused |= write is { By: not null, IsConfirmed: false };
    }

    /// <summary>Another request has got the lock.</summary>
    public void OtherLocked()
    {
        _otherHolds = true;
        if (_locking is null || _unlockedAt != Operation.Never || IsElsewhere) return;
        if (!_mayBeLost) Break($"another request has taken the lock that {_locking} holds");
        _lostAt = Math.Min(_lostAt, _wire.Tick());
    }

    public void OtherUnlocked() => _otherHolds = false;

    public void LeaseEnded() => _mayBeLost = true;

    /// <summary>Whether the lock can be that of another life of the session.</summary>
    private bool IsElsewhere => _ends > 0 || _sawTwo || _abandon is not null;

    /// <summary>Another request has written, if it was to this session, or to the old one, from where it is carried over.</summary>
    public void OtherWrote(string key, string? value)
    {
        var now = Now();
        if (now.Life == 0) return;
        bool isOld = IsMoving && _redis.HashAt(_firstKey)?.GetValueOrDefault(key) == value;
        if (!isOld && ValueIn(now, key) != value) return;
        _writes.Add(new(null, key, value, _wire.Tick()) { IsCarriedOver = isOld, End = isOld ? Operation.Never : _wire.Now });
    }

    /// <summary>What others have written while the session moved is there, unless the request has changed that key itself then.</summary>
    private void ConfirmCarriedOver()
    {
        if (Faults > 0) return;
        foreach (var write in _writes.FindAll(write => write.IsCarriedOver))
        {
            bool isOwn = _writes.Exists(own => own.By is not null && own.Key == write.Key && own.End > _movesSince);
            if (!isOwn) write.End = write.Start;
        }
    }

    /// <summary>Who comes with the old cookie is told that the session has ended, and can begin none for a while.</summary>
    public bool IsRenewed => _redis.HashAt(_firstKey)?.GetValueOrDefault(Generation) is ['~', ..];

    /// <summary>There was no session whose key could be renewed: what others begin under the old one is another.</summary>
    public bool RenewsNothing { get; private set; }

    /// <summary>The old session has ended, and its response is not known to be sent: others wait for that, by a clock.</summary>
    public bool IsEndOpen => IsRenewed && !_redis.HashAt(_firstKey)![Generation].EndsWith(":0", StringComparison.Ordinal);

    /// <summary>
    /// A value can be taken by one. Not so while the session moves: the request takes what it takes under the new key, others under the old
    /// one. Nor if what sets it is sent again: then it is there again.
    /// </summary>
    public void Takes(string key, string? value, bool isOther = false)
    {
        bool mayBeSetAgain = _plan.IsPatient || Faults > 0; // what has failed is sent again by the next commit
        if (value is not null && !mayBeSetAgain && !(isOther && IsMoving ? _takenMeanwhile : _taken).Add(value)) Break($"{key}={value} is taken twice");
    }

    /// <summary>The session is under its old key, while the request may have it under the new one.</summary>
    private bool IsMoving => _movesSince != Operation.Never && Now() is { Life: > 0 } now && LifeAt(_firstKey) == now.Life;

    public void Expire()
    {
        if (Now() is { Life: > 0, Key: { } key }) _redis.Keys.Remove(IsMoving ? _firstKey : key);
        _redis.Keys.Remove(_blobKey);
    }

    /// <summary>When the request is over and every reply has arrived.</summary>
    public void Finish()
    {
        var now = Now();
        bool isWhole = _ends == 0 && !_sawTwo && _abandon is null;
        if (_abandon is { HasSucceeded: true }) CheckAbandoned();
        if (Faults == 0 && _keys.Find(key => IsOwn(LifeAt(key)) && key != _keyOfClient) is { } left)
            Break($"{left} is left behind: the client has the cookie of {_keyOfClient}");
        if (Faults == 0 && _endedOld > 0 && LifeAt(_keyOfClient) == _endedOld)
            Break($"{_keyOfClient} is there, and others have ended the session under its old key");
        if (_sawTwo || _abandon is not null || MayBeUndone) return;

        ConfirmCarriedOver();
        foreach (string key in Keys) CheckKept(key, now);
        if (!isWhole || now.Life == 0) return;
        if (Faults == 0 && !_mayBeLost && !_otherHolds && now.Entry?.Hash?.ContainsKey("@lock") == true) Break("the lock is left behind");
        if (now.Key != _keyOfClient && now.Key != _blobKey && Faults == 1) Break($"the client has the cookie of {_keyOfClient}");
        bool bindsItself = _plan is { IsSignedIn: true, Start: not Start.Legacy } && _isUsed && !_ofOthers.Contains(now.Life);
        if ((_binding is not null || bindsItself) && Faults == 0) CheckUser(now);
    }

    private void CheckWrite(Command command, string key, string generation, RedisEntry? before, bool hasChanged)
    {
        if (!_keys.Contains(key)) _keys.Add(key);
        if (!_lives.TryGetValue(generation, out int life) || IsCopy(command, key)) _lives[generation] = life = Begin(command, key);
        if (command.By is null || !hasChanged || IsCopy(command, key) || OnlyGivesUp(command, key)) return;
        if (_abandon is not null && Is(command, nameof(TakeOverScripts))) return; // too late: it takes that back, see CheckAbandoned
        if (_abandon is { HasSucceeded: true } && command.SentAt > _abandon.End)
            Break($"{command} of {command.By} writes after the request has abandoned the session");
        if (command.SentAt > _lostAt && !IsElsewhere && !ForUser(command))
            Break($"{command} of {command.By} writes after another request has taken the lock");
        if (command.SentAt > _seenAt && life != _seen)
            Break($"{command} of {command.By} {(before is null ? "begins" : "writes into")} another session than was seen");
    }

    /// <summary>Takes back a lock that its own request has taken, maybe of a session that it did not know yet, and changes nothing else.</summary>
    private bool OnlyGivesUp(Command command, string key) =>
        Is(command, GivesUp)
        && _lockBefore?.StartsWith(command.Arguments[1] + ":", StringComparison.Ordinal) == true
        && _redis.Keys[key] is { Hash: { } hash } entry && !hash.ContainsKey("@lock") && entry.Version == _before[0].Version + 1;

    /// <summary>A renewal writes under a key that nobody knows until it is done, and takes that back when it fails.</summary>
    private bool IsCopy(Command command, string key) =>
        IsRenewal(command.By) && !command.By!.HasSucceeded && key != _firstKey && key != _keyNow();

    private static bool IsRenewal(Operation? operation) => operation is { Verb: Verb.Renew or Verb.RenewForUser };

    /// <summary>A new generation: a life that begins, or the one that there is under another key, or out of a blob.</summary>
    private int Begin(Command command, string key)
    {
        var last = _moments[^1];
        bool isBlob = last.Key == _blobKey;
        if (command.By is { } by)
        {
            // A renewal finds the data also where another one has parked it; in portions it writes what it has read before.
            bool writesPortion = Is(command, WritesPortion);
            int parked = IsRenewal(by) ? LifeAt(Parked) : 0;
            int moved = writesPortion ? by.Lives.LastOrDefault() : parked;
            if (moved > 0 && moved == parked) _lastEnd = _endBefore; // it goes on
            if (IsRenewal(by) && moved == 0 && (last.Life == 0 || writesPortion)) RenewsNothing = true;
            if (last.Life == 0 || writesPortion) return moved > 0 ? moved : ++_lastLife;
            if (!isBlob && !IsRenewal(by)) Break($"{command} of {by} begins a second session");
            return last.Life;
        }

        if (key == _firstKey && isBlob) return last.Life;
        _ofOthers.Add(++_lastLife); // under a key that the request does not have, or in the place of what has ended
        return _lastLife;
    }

    private void Reveal(Operation? operation, object? reply)
    {
        if (reply is object?[] replies)
        {
            foreach (object? one in replies) Reveal(operation, one);
        }
        else if (reply is string text && _lives.TryGetValue(text, out int life))
        {
            if (_revealed != 0 && _revealed != life) _sawTwo = true;
            _revealed = life;
            operation?.Lives.Add(life);
        }
    }

    private void CheckFailure(Operation operation, Exception error)
    {
        bool isExplained = error switch
        {
            SessionEndedException => IsElsewhere || MayBeUndone,
            SessionLockLostException => _mayBeLost || IsElsewhere || Faults > 0,
            _ => Faults > 0 || (_responds && (IsRenewal(operation) || operation.Verb == Verb.Lock)),
        };
        if (isExplained) return;
        Break(error is SessionEndedException
            ? $"{operation} says that the session has ended, which it has not"
            : $"{operation} fails though no command did: {error}");
    }

    private void Succeeded(Operation operation)
    {
        int told = IsRenewal(operation) && LifeAt(_keyNow()) is > 0 and var moved ? moved : operation.Lives.LastOrDefault();
        if (_seen == 0 && told > 0) (_seen, _seenAt) = (told, operation.End);
        _isUsed |= operation.Verb is >= Verb.Read and <= Verb.Update and not (Verb.Commit or Verb.Take);
        var own = _writes.FindAll(write => write.By == operation);
        switch (operation.Verb)
        {
            case Verb.Respond:
                if (operation.Result is not null) _keyOfClient = _keyNow();
                break;
            case Verb.Reload:
                _reloads.Add(operation);
                break;
            case Verb.Get or Verb.Read:
                CheckRead(operation, operation.Key, (string?)operation.Result);
                break;
            case Verb.Keys:
                foreach (string key in Keys) CheckPresence(operation, key, ((string[])operation.Result!).Contains(key));
                break;
            case Verb.ReadMany:
                foreach (var (key, value) in (Dictionary<string, string?>)operation.Result!) CheckRead(operation, key, value);
                break;
            case Verb.Take:
                CheckRead(operation, operation.Key, (string?)operation.Result);
                Takes(operation.Key, (string?)operation.Result);
                break;
            case Verb.TrySet when !(bool)operation.Result!:
                CheckPresence(operation, operation.Key, isThere: true);
                _writes.RemoveAll(write => write.By == operation);
                break;
            case Verb.TrySet:
                CheckPresence(operation, operation.Key, isThere: false);
                break;
            case Verb.Increment:
                own[0].Value = (string)operation.Result!;
                CheckRead(operation, operation.Key, own[0].Value);
                break;
            case Verb.Update:
                own[0].Value = JsonSerializer.Serialize((int[])operation.Result!);
                CheckRead(operation, operation.Key, own[0].Value);
                break;
            case Verb.RenewForUser:
                _binding = operation;
                break;
            case Verb.Lock when (bool)operation.Result!:
                if (_otherHolds && !_mayBeLost && !IsElsewhere) Break($"{operation} has taken the lock that another request holds");
                _locking = operation;
                break;
        }

        bool blocksNobody = operation.Verb is Verb.Set or Verb.Remove or Verb.Clear;
        foreach (var write in own)
        {
            if (!blocksNobody) write.End = operation.End;
        }

        // That the response or the end of the request could not confirm is told to nobody.
        bool confirms = operation.Verb is Verb.SetAsync or Verb.RemoveAsync or Verb.Commit or Verb.Increment or Verb.Take or Verb.TrySet
            or Verb.Update or Verb.Renew or Verb.RenewForUser
            || operation is { Verb: Verb.Unlock, Result: true }
            || (operation.Verb is Verb.Respond or Verb.EndRequest && Faults == 0 && !IsElsewhere && !_mayBeLost);
        foreach (var write in confirms ? _writes : [])
        {
            if (write is { By.Verb: Verb.Set or Verb.Remove or Verb.Clear, IsRefused: false } && write.Start < operation.Start)
                write.End = Math.Min(write.End, operation.End);
        }
    }

    private void CheckRead(Operation read, string key, string? value)
    {
        var allowed = Allowed(read, key);
        if (!allowed.Contains(value)) Break($"{read}: {key} is {Show(value)}, and was {string.Join(" or ", allowed.Select(Show))}");
    }

    private void CheckPresence(Operation read, string key, bool isThere)
    {
        var allowed = Allowed(read, key);
        if (!allowed.Any(value => value is not null == isThere)) Break($"{read}: {key} is {(isThere ? "" : "not ")}there, wrongly");
    }

    /// <summary>What a call that ends now may find under a key.</summary>
    private HashSet<string?> Allowed(Operation read, string key)
    {
        bool mayBeEnded = _sawTwo || _abandon is not null || MayBeUndone;
        if (!mayBeEnded && _ends == 0 && Faults == 0 && LastOwn(read, key) is { } own) return [own.Value];

        var allowed = new HashSet<string?>();
        bool blocks = read.Verb is Verb.Get or Verb.Keys;
        if (mayBeEnded || (blocks && Faults > 0)) allowed.Add(null);
        int from = blocks ? SnapshotMayBeOf(read, key) : read.Start;
        for (int i = _moments.Count - 1; i >= 0; i--)
        {
            var moment = _moments[i];
            bool isSeen = _seen == 0 || moment.Life == _seen || (blocks && _sawTwo); // the snapshot may be of either
            if (!isSeen || (_revealed != 0 && moment.Life != _revealed)) allowed.Add(null);
            if (isSeen || _seenAt > read.Start) allowed.Add(ValueIn(moment, key));
            if (moment.Time <= from) break;
        }

        foreach (var write in _writes)
        {
            if (write.By is null || write.Key != key || write.By == read) continue;

            // What is confirmed while a snapshot is on its way is added to that, which may be older: also where others have changed it, or
            // ended the session, behind it.
            bool isAdded = blocks && _snapshots.Exists(snapshot => snapshot.Start < write.End);
            if (write.End > read.Start || isAdded) allowed.Add(write.Value);
        }

        return allowed;
    }

    /// <summary>
    /// The last write of the request before a read, if that was not confirmed till the read has ended and nothing else came to it.
    /// </summary>
    private Write? LastOwn(Operation read, string key)
    {
        if (read.Verb is not (Verb.Get or Verb.Keys or Verb.Read or Verb.ReadMany)) return null;
        var own = _writes.FindAll(write => write.By is not null && write.Key == key);
        var last = own.FindLast(write => write.Start < read.Start);
        if (last is not { IsPlain: true } || last.End < read.End) return null;
        return _writes.Exists(write => write.Key == key
            && (write.By is null ? write.Start > last.Start : write.Start > read.Start || (!write.IsPlain && write.End > last.Start)))
            ? null
            : last;
    }

    /// <summary>
    /// Since when what a synchronous read finds was there: it may be of a snapshot, but not of one before the last reload, nor before what
    /// the request has confirmed.
    /// </summary>
    private int SnapshotMayBeOf(Operation read, string key)
    {
        if (_plan.Mode == RedisSessionMode.Live && !_mayHaveSnapshot) return read.Start;
        int from = _reloads.Where(reload => reload.End < read.Start).Select(reload => reload.Start).DefaultIfEmpty().Max();
        foreach (var write in _writes)
        {
            if (write.By is null || write.Key != key || write.End > read.Start || write.Value is null) continue;
            if (_moments.Find(moment => moment.Time > write.Start && ValueIn(moment, key) == write.Value) is { } effect)
                from = Math.Max(from, effect.Time);
        }

        return from;
    }

    /// <summary>What is confirmed is there.</summary>
    private void CheckKept(string key, Moment now)
    {
        var writes = _writes.FindAll(write => write.Key == key && write.End >= _lastEnd);
        string? value = ValueIn(now, key);

        // What has ended need not have begun again.
        if (_ends > 0 && !writes.Exists(write => write.By is not null && write.IsConfirmed && write.Start > _lastEnd)) return;
        if (key is Counter or Json)
        {
            CheckCounted(key, value, writes);
            return;
        }

        var last = writes.FindAll(write => !writes.Exists(later => later.Overwrites(write))).ConvertAll(write => write.Value);
        if (!last.Contains(value)) Break($"at the end {key} is {Show(value)}, and must be {string.Join(" or ", last.Select(Show))}");
    }

    /// <summary>Each increment and update is there once, unless all was cleared behind it.</summary>
    private void CheckCounted(string key, string? value, List<Write> writes)
    {
        var clear = writes.FindLast(write => write.By is { Verb: Verb.Clear });
        var changes = writes.FindAll(write => write.By is null or { Verb: not Verb.Clear } && write.Start > 0);
        var certain = changes.FindAll(change => change.IsConfirmed && change.Start > _lastEnd
            && (clear is null || change.Start > (change.By is null ? clear.End : clear.Start)));
        if (key == Json)
        {
            int[] list = value is null ? [] : JsonSerializer.Deserialize<int[]>(value)!;
            if (list.Distinct().Count() < list.Length) Break($"at the end {key} is {value}: one update twice");
            if (certain.Find(change => !list.Contains(change.By!.Number)) is { } lost)
                Break($"at the end {key} is {Show(value)}: the update of {lost.By} is lost");
            return;
        }

        int before = int.Parse(ValueIn(_moments[0], key) ?? "0", CultureInfo.InvariantCulture);
        int least = certain.Count + (clear is not null || _ends > 0 ? 0 : before);
        int most = changes.Count + before;
        int sum = int.Parse(value ?? "0", CultureInfo.InvariantCulture);
        if (sum < least || sum > most) Break($"at the end {key} is {sum}, and must be {least} to {most}");
    }

    private void CheckAbandoned()
    {
        if (_plan.Start == Start.Legacy && Faults > 0) return; // what is taken over is not taken back when its mark cannot be set
        foreach (string key in _keys)
        {
            if (Faults > 0 && key != _firstKey && key != _keyOfClient) continue; // a copy that could not be removed, and nobody knows
            if (IsOwn(LifeAt(key))) Break($"{key} is there, and the request has abandoned the session");
        }
    }

    private void CheckUser(Moment now)
    {
        if (now.Entry?.Hash?.GetValueOrDefault("@user") != Interleaving.User) Break("the session is not the user's to whom it was bound");
        var list = _redis.Keys.GetValueOrDefault(SessionHashLayout.UserKeyOf("", Interleaving.User).ToString())?.SortedSet;
        if (list?.ContainsKey(now.Key!["sessions:".Length..]) != true) Break("the session is not in its user's list");
    }

    private string Parked => $"sessions:{{{_firstKey}}}";

    /// <summary>AddSession has left it, and nobody has taken it over.</summary>
    private bool IsLeft => _redis.HashAt(_blobKey) is { } blob && blob.ContainsKey("data") && !blob.ContainsKey(StockRedisSessions.Taken);

    /// <summary>A task of the request is taking it over: who ends it now, before it was seen, or after, is a matter of moments.</summary>
    public bool IsBeingTakenOver => _wire.Pending.Concat(_wire.Silent).Any(command =>
        command.By is not null && (command.Keys.Contains(_blobKey) || Is(command, nameof(TakeOverScripts))));

    private bool IsOwn(int life) => life > 0 && !_ofOthers.Contains(life);

    private int LifeAt(string key) =>
        _redis.HashAt(key)?.GetValueOrDefault(Generation) is { } generation ? _lives.GetValueOrDefault(generation) : 0;

    /// <summary>
    /// The session as it is: the life that the request has seen, wherever it is; before that what is under the key that it knows, or was a
    /// moment ago.
    /// </summary>
    private Moment Now()
    {
        string known = _keyNow();
        int life = _seen != 0 ? _seen : _moments.Count > 0 ? _moments[^1].Life : 0;
        if (IsLeft && LifeAt(known) == 0) return new(_wire.Now, 1, _blobKey, null, 0, Initial);
        string? key = LifeAt(known) == life ? known : LifeAt(_firstKey) == life ? _firstKey : null;
        if (life == 0 || key is null)
        {
            key = known;
            life = LifeAt(known);
        }

        if (life == 0 || (_seen != 0 && life != _seen)) return new(_wire.Now, 0, null, null, 0, null);
        var entry = _redis.Keys[key];
        bool isLast = _moments.Count > 0 && _moments[^1] is { } last && last.Entry == entry && last.Version == entry.Version;
        return new(_wire.Now, life, key, entry, entry.Version, isLast ? _moments[^1].Values : new(entry.Hash!));
    }

    private static string? ValueIn(Moment moment, string key) => moment.Values?.GetValueOrDefault(key);

    private static string Show(string? value) => value ?? "nothing";

    /// <summary>The session from some time on.</summary>
    private sealed record Moment(int Time, int Life, string? Key, RedisEntry? Entry, int Version, Dictionary<string, string>? Values);

    /// <summary>A key gets a value, or null; by nobody: by another request, or before.</summary>
    private sealed class Write(Operation? by, string key, string? value, int start)
    {
        public Operation? By { get; } = by;

        public string Key { get; } = key;

        public string? Value { get; set; } = value;

        public int Start { get; } = start;

        /// <summary>When it was confirmed.</summary>
        public int End { get; set; } = Operation.Never;

        /// <summary>It was made under the old key while the session was moving to another.</summary>
        public bool IsCarriedOver { get; init; }

        /// <summary>The request was told that the session has ended before it was confirmed.</summary>
        public bool IsRefused { get; set; }

        /// <summary>It does not depend on what is there, and keeps its place among the others of the request.</summary>
        public bool IsPlain { get; init; }

        public bool IsConfirmed => End != Operation.Never;

        public bool Overwrites(Write earlier) =>
            IsConfirmed && (earlier.End < Start || (IsPlain && earlier.IsPlain && earlier.Start < Start));
    }
}
