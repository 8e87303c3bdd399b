namespace RedisSession.Provider.Tests;

/// <summary>The session in Redis, as the design says it behaves: what there is, and which life of it.</summary>
internal sealed class ModelHash
{
    private int _lives;

    /// <summary>Null when there is no hash.</summary>
    public Dictionary<string, int>? Fields { get; private set; }

    /// <summary>The generation; 0 when there is no hash.</summary>
    public int Life { get; private set; }

    /// <summary>Who holds the lock.</summary>
    public ModelRequest? Holder { get; set; }

    public void Begin() => (Fields, Life) = ([], ++_lives);

    public void End() => (Fields, Life, Holder) = (null, 0, null);
}

/// <summary>An instance of the application: of its requests one at a time asks for the lock, or has it.</summary>
internal sealed class ModelInstance
{
    public ModelRequest? Turn { get; set; }
}

/// <summary>What becomes of a request that asks for the lock.</summary>
internal enum LockAnswer { Taken, Busy, SessionEnded, HeldAlready }

/// <summary>One request's view of the session, as the design says it: small, slow and obvious, to hold the real one against.</summary>
internal sealed class ModelRequest(ModelHash hash, ModelInstance instance, RedisSessionMode mode)
{
    private enum Sight { Unknown, Absent, Present, Ended }

    private Sight _sight;
    private int _life;
    private bool _refused;
    private bool _isAbandoned;
    private Dictionary<string, int>? _snapshot;

    // What was changed and is not in the hash yet: null for removed. Live mode has nothing here.
    private Dictionary<string, int?> _pending = [];
    private bool _cleared;

    public bool IsEnded => _sight == Sight.Ended || _refused;

    /// <summary>It has, or believes that it has, the lock.</summary>
    public bool IsLocked => instance.Turn == this;

    /// <summary>The lock was lost, and what it protected was refused.</summary>
    public bool IsLost { get; private set; }

    public void Change(bool clear, string? key, int? value)
    {
        if (clear)
        {
            _pending.Clear();
            _cleared = true;
        }

        if (key is not null) _pending[key] = value;
        if (mode == RedisSessionMode.Live) Apply();
    }

    /// <summary>Writes what is pending. False: refused, now or before.</summary>
    public bool Commit()
    {
        Apply();
        return !_refused && !IsLost;
    }

    public LockAnswer Lock()
    {
        if (IsLocked) return LockAnswer.HeldAlready;
        if (instance.Turn is not null) return LockAnswer.Busy;
        if (!Commit() || _sight == Sight.Ended) return LockAnswer.SessionEnded;
        if (Look() is null && _sight != Sight.Ended)
        {
            hash.Begin();
            Look();
        }

        Reload(); // it is asked for together with the lock
        if (_sight == Sight.Ended) return LockAnswer.SessionEnded;
        if (hash.Holder is not null) return LockAnswer.Busy;
        instance.Turn = hash.Holder = this;
        return LockAnswer.Taken;
    }

    /// <summary>Confirms what is pending and gives the lock back. False: it was not the holder any more, or the session has ended.</summary>
    public bool Unlock()
    {
        bool isConfirmed = Commit() && (hash.Holder == this || _sight == Sight.Ended);
        if (hash.Holder == this) hash.Holder = null;
        instance.Turn = null;
        IsLost |= !isConfirmed;
        return isConfirmed;
    }

    public int? ReadLive(string key)
    {
        if (_pending.TryGetValue(key, out int? own)) return own;
        if (_cleared) return null;
        return Look()?.TryGetValue(key, out int value) == true ? value : null;
    }

    public int? Read(string key)
    {
        if (_pending.TryGetValue(key, out int? own)) return own;
        if (_cleared) return null;
        if (mode == RedisSessionMode.Buffered) Load();
        var fields = _snapshot ?? Look();
        return fields?.TryGetValue(key, out int value) == true ? value : null;
    }

    public IEnumerable<string> Keys()
    {
        if (mode == RedisSessionMode.Buffered) Load();
        var keys = (_snapshot ?? Look() ?? []).Keys.Where(_ => !_cleared).ToHashSet();
        foreach (var (key, value) in _pending) _ = value is null ? keys.Remove(key) : keys.Add(key);
        return keys.Order(StringComparer.Ordinal);
    }

    public void Load() => _snapshot ??= new(Look() ?? []);

    public void Reload() => _snapshot = new(Look() ?? []);

    public void Abandon()
    {
        hash.End();
        (_sight, _refused, _snapshot, _pending, _cleared) = (Sight.Ended, false, [], [], false);
        _isAbandoned = true;
    }

    /// <summary>What is in the hash, if it is the session that this request saw before, or the first that it sees.</summary>
    private Dictionary<string, int>? Look()
    {
        if (_sight == Sight.Ended) return null;
        if (_sight == Sight.Present && hash.Life != _life) _sight = Sight.Ended;
        else if (hash.Life != 0) (_sight, _life) = (Sight.Present, hash.Life);
        else if (_sight == Sight.Unknown) _sight = Sight.Absent;
        return _sight == Sight.Present ? hash.Fields : null;
    }

    private void Apply()
    {
        if (_pending.Count == 0 && !_cleared) return;
        if (IsLocked && hash.Holder != this && _sight != Sight.Ended)
        {
            IsLost = true;
            return;
        }

        if (Look() is null && _sight != Sight.Ended && _pending.Values.Any(value => value is not null))
        {
            hash.Begin();
            Look();
        }

        if (_sight == Sight.Ended) _refused |= !_isAbandoned || _pending.Values.Any(value => value is not null);
        else
        {
            foreach (var fields in new[] { hash.Fields, _snapshot }.OfType<Dictionary<string, int>>())
            {
                if (_cleared) fields.Clear();
                foreach (var (key, value) in _pending)
                {
                    if (value is { } set) fields[key] = set;
                    else fields.Remove(key);
                }
            }
        }

        _pending = [];
        _cleared = false;
    }
}
