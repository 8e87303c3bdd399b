using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Session;
using Microsoft.Extensions.Time.Testing;

namespace RedisSession.Provider.Tests;

/// <summary>Plays a plan: one request on the real session, whose replies arrive when the plan says so.</summary>
internal sealed class Interleaving
{
    public const string User = "ann";
    private const string KeyPrefix = "";
    private const string InstanceName = "left:";

    private static readonly AsyncLocal<Operation?> Current = new();

    private static readonly ThreadLocal<World> Worlds = new(() => new());
    private static readonly FakeTimeProvider Time = new(); // which stands still

    private readonly World _world;
    private readonly Wire _wire;
    private readonly Plan _plan;
    private readonly Action<string>? _trace;
    private readonly RedisHashSessionStore _store;
    private readonly string _sessionKey;
    private readonly HttpContext _context = new DefaultHttpContext();
    private readonly Response _response = new();
    private readonly RedisHashSession _session;
    private readonly SessionRules _rules;
    private readonly List<Operation> _operations = [];
    private readonly Stack<Operation> _blocked = [];
    private int _next;
    private int _resent;
    private (string Id, string Key) _key;
    private SessionLock? _lock;
    private SessionLock? _othersLock;

    private Interleaving(World world, Plan plan, Action<string>? trace)
    {
        (_world, _plan, _trace) = (world, plan, trace);
        _wire = _world.Wire;
        _wire.Reset();
        _store = _world.StoreOf(plan);
        _sessionKey = _world.NewSessionKey();

        _context.Features.Set<IHttpResponseFeature>(_response);
        if (plan.IsSignedIn) _context.Items["user"] = User;
        _world.Accessor.HttpContext = _context;
        _wire.IsCluster = plan.IsCluster;
        _session = Open(_sessionKey, isNew: plan.Start == Start.New);
        _world.Accessor.HttpContext = null;
        _context.Session = _session;

        _rules = new(plan, _wire, KeyNow, Arrange());
        _wire.Sender = () => Current.Value;
        _wire.Sent = command => _trace?.Invoke($"      sends {command}");
        _wire.Executing = _rules.Executing;
        _wire.Executed = command =>
        {
            _trace?.Invoke($"      effect of {command}{(command.By is null ? " (other)" : "")}");
            _rules.Executed(command);
        };
        _wire.Delivering = _rules.Delivering;
        _wire.Blocked = WhileBlocked;
    }

    /// <summary>What has gone wrong; null when nothing has.</summary>
    public static string? FindFault(Plan plan, Action<string>? trace = null)
    {
        string? fault = null;
        var world = Worlds.Value!;
        world.Pool.Around(() =>
        {
            using var outages = plan.IsPatient
                ? Outages.Watch(world.Wire.Multiplexer, new(TimeSpan.FromSeconds(5), Time), Timeout.InfiniteTimeSpan, keepsCommands: true, since: 0)
                : null;
            var interleaving = new Interleaving(world, plan, trace);
            interleaving.Run();
            if (world.Wire.Missing is { } member) throw new NotSupportedException($"{nameof(Wire)} has no {member}: add it there.");
            fault = interleaving._rules.Broken;
        });
        return fault;
    }

    private string KeyNow()
    {
        string id = _session.Id;
        if (_key.Id != id) _key = (id, KeyOf(id));
        return _key.Key;
    }

    private static string KeyOf(string id) => $"{KeyPrefix}sessions:{id}";

    private RedisHashSession Open(string sessionKey, bool isNew)
    {
        var session = (RedisHashSession)_store.Create(sessionKey, TimeSpan.FromMinutes(20), Timeout.InfiniteTimeSpan, () => true, isNew);
        session.Cookie = _world.Cookie; // what UseRedisHashSession knows and UseSession does not
        return session;
    }

    /// <summary>What there is before the request; the key of the blob that AddSession has left.</summary>
    private string Arrange()
    {
        var redis = _wire.Redis;
        string blobKey = InstanceName + _sessionKey;
        string key = KeyOf(SessionId.Of(_sessionKey));
        string[] values = [.. SessionRules.Initial.SelectMany(value => new[] { value.Key, value.Value })];
        if (_plan.Start == Start.Present)
        {
            redis.Run("HSET", key, ["@gen", "gen-0000", "@created", "1700000000000", .. values]);
            redis.Run("PEXPIRE", key, ["1000"]);
        }
        else if (_plan.Start == Start.Legacy)
        {
            redis.Run("HSET", blobKey, ["absexp", "-1", "sldexp", "12000000000", "data", Blob()]);
            redis.Run("PEXPIRE", blobKey, ["1000"]);
        }

        return blobKey;
    }

    /// <summary>As AddSession writes it: see <see cref="StockSessionBlob"/>.</summary>
    private static string Blob()
    {
        var blob = new StringBuilder("\x02\0\0" + (char)SessionRules.Initial.Count).Append('\0', 16);
        foreach (var (key, value) in SessionRules.Initial)
            blob.Append('\0').Append((char)key.Length).Append(key).Append("\0\0\0").Append((char)value.Length).Append(value);
        return blob.ToString();
    }

    private void Run()
    {
        while (_next < _plan.Steps.Length && _rules.Broken is null) Play(_plan.Steps[_next++]);
        Settle();
        if (!_operations.Exists(operation => operation.Verb == Verb.Respond)) Call(new(Verb.Respond));
        Settle();
        while (_wire.Silent.Count > 0)
        {
            _trace?.Invoke($"the connection is given up: {_wire.Silent[0]} fails");
            _rules.Faults++;
            _wire.GiveUp(_wire.Silent[0]);
            _world.Pool.RunAll();
            Settle();
        }

        _context.Features.Set<ISessionFeature>(null);
        Call(new(Verb.EndRequest));
        Settle();
        var completing = _response.CompleteAsync();
        Settle();
        if (!completing.IsCompletedSuccessfully) _rules.Break("the end of the response hangs, or fails");
        if (_operations.Find(operation => operation.End == Operation.Never) is { } hanging)
            _rules.Break($"{hanging} hangs, though every reply has arrived");
        _rules.Finish();
    }

    private void Settle()
    {
        for (int replies = 0; _wire.Pending.Count > 0 && _rules.Broken is null; replies++)
        {
            if (replies > 1_000) _rules.Break("more and more is sent");
            Deliver(_wire.Pending[0], Fate.Answered);
        }

        _wire.ExecuteAll();
    }

    private void Play(Step step)
    {
        _trace?.Invoke(step.ToString());
        switch (step.Verb)
        {
            case Verb.Reply:
                if (_wire.Pending.Count > 0) Deliver(_wire.Pending[step.Pick % _wire.Pending.Count], step.Fate);
                break;
            case Verb.Replies:
                Settle();
                break;
            case Verb.Server:
                _wire.ExecuteAll();
                break;
            case Verb.Abandon or Verb.OtherRenews or Verb.OtherAbandons or Verb.OtherBegins or Verb.Expires when _rules.IsBeingTakenOver:
                break;
            default:
                if (step.IsOfRequest) Call(step);
                else if (_plan.Start != Start.New && !_rules.IsEndOpen && !_rules.RenewsNothing) Other(step); // nobody else knows a new key
                break;
        }
    }

    private void Deliver(Command command, Fate fate)
    {
        _trace?.Invoke($"    arrives {command}{(fate == Fate.Answered ? "" : $" ({fate})")}");
        if (fate is not (Fate.Answered or Fate.NoScript) && !IsResent(command, fate)) _rules.Faults++;
        _wire.Deliver(command, fate);
        _world.Pool.RunAll();
        _rules.Look(by: null);
    }

    /// <summary>Nobody notices that it was lost: it is sent again, if not too often.</summary>
    private bool IsResent(Command command, Fate fate) =>
        _plan.IsPatient
        && fate is (Fate.Lost or Fate.NotSent)
        && (command.Script is not { } script || LuaScripts.IsRepeatable(script))
        && ++_resent < 3;

    /// <summary>A thread waits for a reply: other things can happen till it comes.</summary>
    private void WhileBlocked(Command command)
    {
        var operation = _blocked.Peek();
        var (steps, fate) = operation.Blocking;
        operation.Blocking = (0, Fate.Answered);
        for (; steps > 0 && _next < _plan.Steps.Length; steps--) Play(_plan.Steps[_next++]);
        Current.Value = operation;
        if (_wire.Pending.Contains(command)) Deliver(command, fate is Fate.Silent ? Fate.Lost : fate);
    }

    private void Call(Step step)
    {
        if (step.Verb == Verb.Respond && _operations.Exists(operation => operation.Verb == Verb.Respond)) return;
        var operation = new Operation(_operations.Count + 1, step, _wire.Tick());
        _operations.Add(operation);
        _rules.Started(operation);
        _blocked.Push(operation);
        _ = CallAsync(operation);
        _blocked.Pop();
        _world.Pool.RunAll();
    }

    private async Task CallAsync(Operation operation)
    {
        Current.Value = operation; // for what this method sends, wherever it goes on
        try
        {
            operation.Result = await DoAsync(operation);
        }
        catch (Exception error)
        {
            operation.Error = error;
        }

        operation.End = _wire.Tick();
        _trace?.Invoke($"    {operation} = {Show(operation)}");
        _rules.Ended(operation);
    }

    private async Task<object?> DoAsync(Operation operation)
    {
        string key = operation.Key;
        byte[] value = Encoding.ASCII.GetBytes(operation.Value);
        switch (operation.Verb)
        {
            case Verb.Get:
                return _session.GetString(key);
            case Verb.Keys:
                return _session.Keys.ToArray();
            case Verb.Set:
                _session.Set(key, value);
                return null;
            case Verb.Remove:
                _session.Remove(key);
                return null;
            case Verb.Clear:
                _session.Clear();
                return null;
            case Verb.Read:
                return Text((await _session.ReadAsync(key)).Raw);
            case Verb.ReadMany:
                var values = await _session.ReadAsync(SessionRules.Keys);
                return SessionRules.Keys.ToDictionary(one => one, one => Text(values[one].Raw));
            case Verb.Load:
                await _session.LoadAsync();
                return null;
            case Verb.Reload:
                await _session.ReloadAsync();
                return null;
            case Verb.SetAsync:
                await _session.SetAsync(key, value);
                return null;
            case Verb.RemoveAsync:
                await _session.RemoveAsync(key);
                return null;
            case Verb.Commit or Verb.EndRequest:
                await _session.CommitAsync();
                return null;
            case Verb.Increment:
                return (await _session.IncrementAsync(key)).ToString(CultureInfo.InvariantCulture);
            case Verb.Take:
                return Text((await _session.TakeAsync(key)).Raw);
            case Verb.TrySet:
                return await _session.TrySetAsync(key, value);
            case Verb.Update:
                return await _session.UpdateJsonAsync<int[]>(key, before => [.. before ?? [], operation.Number]);
            case Verb.Renew or Verb.RenewForUser:
                await _context.RenewSessionAsync(operation.Verb == Verb.RenewForUser ? User : null);
                return null;
            case Verb.Abandon:
                await _context.AbandonSessionAsync();
                return null;
            case Verb.Lock:
                if (_operations.Exists(one => one != operation && one is { Verb: Verb.Lock, Error: null, Result: not false })) return false;
                _lock = await _session.TryLockAsync();
                return _lock is not null;
            case Verb.Unlock:
                if (Interlocked.Exchange(ref _lock, null) is not { } held) return false;
                await held.DisposeAsync();
                return true;
            case Verb.Respond:
                await _response.StartAsync();
                return _response.Headers.SetCookie.Count > 0 ? "with a cookie" : null;
            default:
                throw new NotSupportedException(operation.Verb.ToString());
        }
    }

    /// <summary>Something that is not of this request: it is done before anything else happens.</summary>
    private void Other(Step step)
    {
        _wire.IsImmediate = true;
        _rules.OthersVerb = step.Verb;
        var doing = OtherAsync(step);
        _world.Pool.RunAll();
        _wire.IsImmediate = false;
        bool isTold = _rules.IsRenewed && doing.Exception?.InnerException is SessionEndedException;
        if (!doing.IsCompletedSuccessfully && !isTold) _rules.Break($"another request: {step.Verb} has failed: {doing.Exception}");
        _rules.Look(step.Verb);
    }

    private async Task OtherAsync(Step step)
    {
        string key = step.Key;
        string value = $"w{_next}";
        var other = Open(_sessionKey, isNew: false);
        switch (step.Verb)
        {
            case Verb.OtherSets:
                await other.SetAsync(key, Encoding.ASCII.GetBytes(value));
                _rules.OtherWrote(key, value);
                break;
            case Verb.OtherIncrements:
                long sum = await other.IncrementAsync(key);
                _rules.OtherWrote(key, sum.ToString(CultureInfo.InvariantCulture));
                break;
            case Verb.OtherTakes:
                _rules.Takes(key, Text((await other.TakeAsync(key)).Raw), isOther: true);
                _rules.OtherWrote(key, null);
                break;
            case Verb.OtherRenews:
                var request = new DefaultHttpContext();
                var response = new Response();
                request.Features.Set<IHttpResponseFeature>(response);
                await other.RenewKeyAsync(request, null, CancellationToken.None);
                await response.StartAsync();
                await response.CompleteAsync();
                break;
            case Verb.OtherAbandons or Verb.OtherBegins:
                await other.AbandonAsync(new DefaultHttpContext(), CancellationToken.None);
                if (step.Verb == Verb.OtherAbandons) break;
                _rules.Look(step.Verb);
                await Open(_sessionKey, isNew: false).SetAsync(key, Encoding.ASCII.GetBytes(value));
                _rules.OtherWrote(key, value);
                break;
            case Verb.OtherLocks when _othersLock is null:
                var another = (RedisHashSession)_world.OtherStoreOf(_plan).Create(
                    _sessionKey, TimeSpan.FromMinutes(20), Timeout.InfiniteTimeSpan, () => true, isNewSessionKey: false);
                _othersLock = await another.TryLockAsync();
                if (_othersLock is not null) _rules.OtherLocked();
                break;
            case Verb.OtherUnlocks when Interlocked.Exchange(ref _othersLock, null) is { } held:
                try
                {
                    await held.DisposeAsync();
                }
                catch (SessionLockLostException)
                {
                    // It was too late.
                }

                _rules.OtherUnlocked();
                break;
            case Verb.LeaseEnds:
                _wire.Redis.Pass(TimeSpan.FromMinutes(1));
                _rules.LeaseEnded();
                break;
            case Verb.Expires:
                _rules.Expire();
                break;
        }
    }

    private static string? Text(byte[]? value) => value is null ? null : Encoding.ASCII.GetString(value);

    private static string Show(Operation operation) => operation switch
    {
        { Error: { } error } => error.GetType().Name,
        { Result: Dictionary<string, string?> values } => string.Join(' ', values.Select(one => $"{one.Key}={one.Value ?? "nothing"}")),
        { Result: string[] keys } => string.Join(' ', keys),
        { Result: int[] list } => string.Join(',', list),
        { Result: var result, Verb: Verb.Get or Verb.Read or Verb.Take } => result?.ToString() ?? "nothing",
        { Result: var result } => result?.ToString() ?? "done",
    };

    /// <summary>A response that starts when it is told to, as the server's does.</summary>
    private sealed class Response : HttpResponseFeature
    {
        private readonly Stack<(Func<object, Task> Callback, object State)> _callbacks = [];
        private readonly Stack<(Func<object, Task> Callback, object State)> _atEnd = [];
        private bool _hasStarted;

        public override bool HasStarted => _hasStarted;

        public override void OnStarting(Func<object, Task> callback, object state)
        {
            if (_hasStarted) throw new InvalidOperationException("The response has started.");
            _callbacks.Push((callback, state));
        }

        public override void OnCompleted(Func<object, Task> callback, object state) => _atEnd.Push((callback, state));

        public async Task CompleteAsync()
        {
            while (_atEnd.TryPop(out var one)) await one.Callback(one.State);
        }

        public async Task StartAsync()
        {
            while (_callbacks.TryPop(out var one)) await one.Callback(one.State);
            _hasStarted = true;
        }
    }

    private sealed class RequestOfSession : IHttpContextAccessor
    {
        public HttpContext? HttpContext { get; set; }
    }

    /// <summary>What the interleavings of one thread share.</summary>
    private sealed class World
    {
        private readonly Dictionary<(RedisSessionMode, bool, bool), RedisHashSessionStore> _stores = [];
        private readonly Dictionary<(RedisSessionMode, bool, bool), RedisHashSessionStore> _others = [];
        private int _sessions;

        public Wire Wire { get; } = new();

        public OwnPool Pool { get; } = new();

        public RequestOfSession Accessor { get; } = new();

        public SessionCookie? Cookie { get; private set; }

        public string NewSessionKey() => $"{++_sessions:D36}"; // what a process remembers of one is not for the next

        public RedisHashSessionStore StoreOf(Plan plan) => StoreOf(plan, _stores);

        /// <summary>That of another instance.</summary>
        public RedisHashSessionStore OtherStoreOf(Plan plan) => StoreOf(plan, _others);

        private RedisHashSessionStore StoreOf(Plan plan, Dictionary<(RedisSessionMode, bool, bool), RedisHashSessionStore> stores)
        {
            var kind = (plan.Mode, plan.IsStrict, plan.Start == Start.Legacy);
            return stores.TryGetValue(kind, out var store) ? store : stores[kind] = Build(plan);
        }

        private RedisHashSessionStore Build(Plan plan)
        {
            var services = new ServiceCollection().AddLogging().AddRedisHashSession(options =>
            {
                options.KeyPrefix = KeyPrefix;
                options.Mode = plan.Mode;
                options.FailureMode = plan.IsStrict ? FailureMode.Throw : FailureMode.LogAndContinue;
                options.OutageTolerance = TimeSpan.Zero; // it goes by a clock
                options.UserIdentifier = context => (string?)context.Items["user"];
                if (plan.Start == Start.Legacy) options.TakeOverSessions(InstanceName);
            });
            services.AddSingleton<IHttpContextAccessor>(Accessor);
            services.AddSingleton(Wire.Multiplexer);
            services.AddSingleton<IDataProtectionProvider, EphemeralDataProtectionProvider>();
            var provider = services.BuildServiceProvider();
            _ = provider.GetRequiredService<IRedisSessionConnection>().GetDatabaseAsync().AsTask();
            Pool.RunAll(); // that is where it is opened
            Cookie = provider.GetRequiredService<SessionCookie>();
            return (RedisHashSessionStore)provider.GetRequiredService<ISessionStore>();
        }
    }
}
