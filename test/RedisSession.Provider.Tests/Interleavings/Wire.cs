using System.Reflection;

namespace RedisSession.Provider.Tests;

/// <summary>What becomes of a command.</summary>
internal enum Fate
{
    Answered,

    /// <summary>It has been applied, and the connection is lost before the reply comes.</summary>
    Lost,

    /// <summary>The connection is lost before it is applied.</summary>
    NotSent,

    /// <summary>The server has forgotten the script.</summary>
    NoScript,

    /// <summary>An error reply, and nothing is applied.</summary>
    Refused,

    /// <summary>It has been applied, and no reply comes as long as the request can wait for it.</summary>
    Silent,
}

/// <summary>A command that is on its way, and its reply, which arrives when the interleaving says so.</summary>
internal abstract class Command(int number, Operation? by, string name, string? script, string[] keys, string[] arguments)
{
    public int Number { get; } = number;

    /// <summary>The operation of the request that has sent it; null for those of other requests.</summary>
    public Operation? By { get; } = by;

    public string Name { get; } = name;

    /// <summary>The text of the script; null when it is a command of its own.</summary>
    public string? Script { get; } = script;

    public string[] Keys { get; } = keys;

    public string[] Arguments { get; } = arguments;

    public int SentAt { get; init; }

    public bool IsExecuted { get; set; }

    public object? Reply { get; set; }

    public Exception? Failure { get; set; }

    public abstract Task Task { get; }

    public override string ToString() =>
        string.Join(' ', [$"#{Number}", Name, .. Script is null ? [] : new[] { LuaScripts.NameOf(Script) }, .. Keys]);
}

/// <summary>
/// A database whose commands take effect, and whose replies arrive, when somebody says so. Everything runs on the caller's thread.
/// </summary>
/// <remarks>
/// A reply is a task that <see cref="Deliver"/> runs: what awaits it goes on inside of that. A thread that blocks on one makes it run;
/// <see cref="Blocked"/> gets to hear of that first, so there too is a moment at which anything else can happen. Nobody may block on
/// anything but a reply, or with a timeout: that would wait for ever here.
/// </remarks>
internal sealed class Wire : TaskScheduler
{
    private static readonly EndPoint Server = new DnsEndPoint("redis", 6379);

    private readonly LuaScripts _scripts;
    private readonly List<Command> _unexecuted = [];
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private int _sent;

    public Wire()
    {
        _scripts = new(Redis);
        Database = Fake<IDatabase>.Create(CallDatabase);
        var server = Fake<IServer>.Create((method, _) => method switch
        {
            "get_IsConnected" => true,
            "get_IsReplica" => false,
            "get_ClusterConfiguration" => null,
            "get_EndPoint" => Server,
            "GetProductVariant" => ProductVariant.Redis,
            _ => throw Unknown(method),
        });
        IServer[] servers = [server];
        Multiplexer = Fake<IConnectionMultiplexer>.Create((method, given) => method switch
        {
            "HashSlot" => IsCluster ? (int)Crc((RedisKey)given[0]!) : 0,
            "GetDatabase" => Database,
            "GetServers" => servers,
            "get_IsConnected" => true,
            "get_Configuration" => "redis:6379",
            _ when method.StartsWith("add_", StringComparison.Ordinal) || method.StartsWith("remove_", StringComparison.Ordinal) => null,
            _ => throw Unknown(method),
        });
    }

    public RedisInMemory Redis { get; } = new();

    /// <summary>What the library has called and is not here.</summary>
    public string? Missing { get; private set; }

    public IDatabase Database { get; }

    public IConnectionMultiplexer Multiplexer { get; }

    /// <summary>Those to which the reply has not arrived, in the order of sending.</summary>
    public List<Command> Pending { get; } = [];

    /// <summary>A logical clock: it goes on with everything that happens.</summary>
    public int Now { get; private set; }

    /// <summary>Commands of other requests, which do not wait for anything.</summary>
    public bool IsImmediate { get; set; }

    /// <summary>Each session is in a slot of its own.</summary>
    public bool IsCluster { get; set; }

    /// <summary>Those to which no reply comes.</summary>
    public List<Command> Silent { get; } = [];

    public Func<Operation?> Sender { get; set; } = () => null;

    public Action<Command> Sent { get; set; } = _ => { };

    public Action<Command> Executing { get; set; } = _ => { };

    public Action<Command> Executed { get; set; } = _ => { };

    public Action<Command> Delivering { get; set; } = _ => { };

    public Action<Command> Blocked { get; set; } = _ => { };

    public int Tick() => ++Now;

    public void Reset()
    {
        Redis.Clear();
        Pending.Clear();
        Silent.Clear();
        _unexecuted.Clear();
        _sent = Now = 0;
        IsImmediate = IsCluster = false;
    }

    /// <summary>The server carries out everything that was sent.</summary>
    public void ExecuteAll()
    {
        while (_unexecuted.Count > 0) Execute(_unexecuted[0]);
    }

    /// <summary>The reply arrives, or what there is in its place.</summary>
    public void Deliver(Command command, Fate fate)
    {
        while (!command.IsExecuted)
        {
            var next = _unexecuted.Find(one => one == command || IsBefore(one, command))!;
            if (next == command) break;
            Execute(next);
        }

        if (!command.IsExecuted)
        {
            if (fate is Fate.NoScript && command.Name == "EVALSHA") command.Reply = new RedisError("NOSCRIPT No matching script.");
            else if (fate is Fate.Refused) command.Reply = new RedisError("OOM command not allowed when used memory > 'maxmemory'.");
            else if (fate is Fate.NotSent) command.Failure = ConnectionLost();
            else Execute(command);
            _unexecuted.Remove(command);
        }

        if (fate is Fate.Lost) command.Failure = ConnectionLost();
        Pending.Remove(command);
        if (fate is Fate.Silent)
        {
            Silent.Add(command);
            return;
        }

        Tick();
        Delivering(command);
        TryExecuteTask(command.Task);
    }

    /// <summary>The connection is given up: what is without a reply has failed.</summary>
    public void GiveUp(Command silent)
    {
        Silent.Remove(silent);
        silent.Failure = ConnectionLost();
        Tick();
        TryExecuteTask(silent.Task);
    }

    protected override IEnumerable<Task> GetScheduledTasks() => Pending.Select(command => command.Task);

    protected override void QueueTask(Task task)
    {
        // It waits for Deliver.
    }

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued)
    {
        // A thread waits for this very reply.
        if (Pending.Find(command => command.Task == task) is { } command) Blocked(command);
        if (Silent.Find(command => command.Task == task) is { } silent) GiveUp(silent);
        return task.IsCompleted;
    }

    private static uint Crc(RedisKey key) => (uint)Text(key).GetHashCode(StringComparison.Ordinal) >> 1;

    /// <summary>The library takes it for a failure of Redis, which it is not.</summary>
    private NotSupportedException Unknown(string method)
    {
        Missing ??= method;
        return new(method);
    }

    private static RedisConnectionException ConnectionLost() =>
        new(ConnectionFailureType.SocketClosed, CommandFlags.None, "The connection is lost.", null, CommandStatus.Sent);

    /// <summary>On one server everything happens in the order in which it was sent, in a cluster what concerns one slot.</summary>
    private bool IsBefore(Command earlier, Command command) => !IsCluster || earlier.Keys.Any(key => command.Keys.Contains(key));

    private void Execute(Command command)
    {
        _unexecuted.Remove(command);
        Tick();
        Executing(command);
        command.Reply = command.Script is { } script
            ? _scripts.Run(script, command.Keys, command.Arguments)
            : Redis.Run(command.Name, command.Keys[0], command.Arguments);
        command.IsExecuted = true;
        Executed(command);
    }

    private object? CallDatabase(string method, object?[] given)
    {
        string key = given is [RedisKey first, ..] ? Text(first) : "";
        bool isForgotten = given.OfType<CommandFlags>().Any(flags => flags.HasFlag(CommandFlags.FireAndForget));
        switch (method)
        {
            case "get_Database":
                return 0;
            case "get_Multiplexer":
                return Multiplexer;
            case "IsConnected":
                return true;
            case "HashGetAsync" when given[1] is RedisValue[] fields:
                return Send("HMGET", null, key, Texts(fields), Values, isForgotten);
            case "HashGetAsync":
                return Send("HGET", null, key, [Text((RedisValue)given[1]!)], Value, isForgotten);
            case "HashGetAllAsync":
                return Send("HGETALL", null, key, [], static reply => Pairs(Values(reply)), isForgotten);
            case "KeyExpireAsync":
                string time = ((long)((TimeSpan)given[1]!).TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
                return Send("PEXPIRE", null, key, [time], IsOne, isForgotten);
            case "KeyDeleteAsync":
                return Send("UNLINK", null, key, [], IsOne, isForgotten);
            case "KeyExistsAsync":
                return Send("EXISTS", null, key, [], IsOne, isForgotten);
            case "SortedSetScoreAsync":
                return Send("ZSCORE", null, key, [Text((RedisValue)given[1]!)], static reply => (double?)Value(reply), isForgotten);
            case "ScriptEvaluateAsync":
                string? script = LuaScripts.TextBySha1((byte[])given[0]!);
                string[] keys = Array.ConvertAll((RedisKey[])given[1]!, Text);
                return Send("EVALSHA", script, keys, Texts((RedisValue[]?)given[2] ?? []), Result, isForgotten);
            case "ExecuteAsync" when given is ["EVAL", ICollection<object> words, ..]:
                object[] all = [.. words];
                keys = [.. all.OfType<RedisKey>().Select(Text)];
                return Send("EVAL", (string)all[0], keys, Texts([.. all.OfType<RedisValue>()]), Result, isForgotten);
            default:
                throw Unknown(method);
        }
    }

    private Task<T> Send<T>(string name, string? script, string key, string[] arguments, Func<object?, T> read, bool isForgotten) =>
        Send(name, script, [key], arguments, read, isForgotten);

    private Task<T> Send<T>(string name, string? script, string[] keys, string[] arguments, Func<object?, T> read, bool isForgotten)
    {
        // What goes by a clock, and so comes from another thread, is too late.
        if (Environment.CurrentManagedThreadId != _thread) return Task.FromException<T>(ConnectionLost());

        var sender = IsImmediate ? null : Sender();
        var command = new Command<T>(this, ++_sent, sender, name, script, keys, arguments, read) { SentAt = Tick() };
        if (IsImmediate)
        {
            Execute(command);
            TryExecuteTask(command.Task);
            return command.Reading;
        }

        _unexecuted.Add(command);
        Sent(command);
        if (isForgotten) return Task.FromResult(default(T)!);
        Pending.Add(command);
        return command.Reading;
    }

    private static string Text(RedisKey key) => Text((byte[]?)key);

    private static string Text(byte[]? bytes) => Encoding.Latin1.GetString(bytes ?? []);

    private static string Text(RedisValue value) => Text((byte[]?)value);

    private static string[] Texts(RedisValue[] values) => Array.ConvertAll(values, Text);

    private static RedisValue Value(object? reply) => reply switch
    {
        null => RedisValue.Null,
        string text => Encoding.Latin1.GetBytes(text),
        long number => number,
        _ => throw new InvalidCastException(reply.ToString()),
    };

    private static RedisValue[] Values(object? reply) => Array.ConvertAll((object?[])reply!, Value);

    private static HashEntry[] Pairs(RedisValue[] values) =>
        [.. values.Chunk(2).Select(pair => new HashEntry(pair[0], pair[1]))];

    private static bool IsOne(object? reply) => (long)reply! == 1;

    private static RedisResult Result(object? reply) =>
        reply is object?[] replies ? RedisResult.Create(Array.ConvertAll(replies, Result)) : RedisResult.Create(Value(reply));

    private sealed class Command<T> : Command
    {
        private readonly Func<object?, T> _read;

        public Command(
            Wire wire, int number, Operation? by, string name, string? script, string[] keys, string[] arguments, Func<object?, T> read)
            : base(number, by, name, script, keys, arguments)
        {
            _read = read;

            // Hidden, so that what awaits it goes on at once and not on the pool.
            Reading = new(static command => ((Command<T>)command!).Read(), this, CancellationToken.None, TaskCreationOptions.HideScheduler);
            Reading.Start(wire);
        }

        public Task<T> Reading { get; }

        public override Task Task => Reading;

        private T Read()
        {
            if (Failure is not null) throw Failure;
            if (Reply is not RedisError error) return _read(Reply);
            var kind = error.Message.Split(' ')[0] switch
            {
                "NOSCRIPT" => RedisErrorKind.NoScript,
                "WRONGTYPE" => RedisErrorKind.WrongType,
                "OOM" => RedisErrorKind.OutOfMemory,
                _ => RedisErrorKind.UnknownError,
            };
            throw new RedisServerException(kind, CommandFlags.None, error.Message);
        }
    }

    /// <summary>An interface whose members are one function.</summary>
#pragma warning disable CA1852 // DispatchProxy makes a class of it
    internal class Fake<T> : DispatchProxy
        where T : class
    {
#pragma warning restore CA1852
        private Func<string, object?[], object?> _call = null!;

        public static T Create(Func<string, object?[], object?> call)
        {
            var fake = Create<T, Fake<T>>();
            ((Fake<T>)(object)fake)._call = call;
            return fake;
        }

        protected override object? Invoke(MethodInfo? method, object?[]? arguments) => _call(method!.Name, arguments ?? []);
    }
}
