namespace RedisSession.Provider.Benchmarks;

/// <summary>What each request does with its session.</summary>
/// <param name="Name">What the command line and the results call it.</param>
/// <param name="Description">What it is.</param>
/// <param name="Shape">The session that it is done with.</param>
/// <param name="Expected">What <paramref name="RunAsync"/> answers when all went well.</param>
/// <param name="RunAsync">Does it, and answers how many values it found or set.</param>
internal sealed record Workload(
    string Name, string Description, SessionShape Shape, int Expected, Func<HttpContext, SessionShape, ValueTask<int>> RunAsync)
{
    /// <summary>Where the server does it.</summary>
    public string Path { get; init; } = $"/{Name}";

    /// <summary>Whether the request sends a session cookie.</summary>
    public bool HasCookie { get; init; } = true;

    /// <summary>Whether threads wait for Redis in it, so that it needs time to show what becomes of them.</summary>
    public bool Blocks { get; init; }

    /// <summary>The workload that does the same after LoadAsync; null where there is none.</summary>
    public string? Loaded { get; init; }

    public static IReadOnlyList<Workload> All { get; } =
    [
        new("read-one-small", "LoadAsync, then one read", SessionShape.Small, 1, SessionWork.ReadOneAsync),
        new("read-one-large", "LoadAsync, then one read", SessionShape.Large, 1, SessionWork.ReadOneAsync),
        new("read-ten-small", "LoadAsync, then ten reads", SessionShape.Small, 10, SessionWork.ReadTenAsync),
        new("read-ten-large", "LoadAsync, then ten reads", SessionShape.Large, 10, SessionWork.ReadTenAsync),
        new("field-large", "one key: ReadAsync; stock: LoadAsync, then one read", SessionShape.Large, 1, SessionWork.ReadFieldAsync),
        new("set-one-small", "sets one key, reads nothing; stock: LoadAsync, then set", SessionShape.Small, 1, SessionWork.SetOneAsync),
        new("set-one-large", "sets one key, reads nothing; stock: LoadAsync, then set", SessionShape.Large, 1, SessionWork.SetOneAsync),
        new("counter", "LoadAsync, reads a number and sets it to the next", SessionShape.Small, 1, SessionWork.CountAsync),
        new("untouched", "a session cookie, the session is not used", SessionShape.Small, 0, SessionWork.IgnoreAsync),
        new("no-cookie", "no session cookie, the session is not used", SessionShape.Small, 0, SessionWork.IgnoreAsync) { HasCookie = false },
        new("no-session", "answered before the session middleware: the rest of each request", SessionShape.Small, 0, SessionWork.IgnoreAsync)
        {
            Path = BenchmarkServer.NothingPath,
        },
        Synchronous("sync-one", "one read without LoadAsync", reads: 1) with { Loaded = "read-one-small" },
        Synchronous("sync-ten", "ten reads without LoadAsync", reads: 10) with { Loaded = "read-ten-small" },
    ];

    public static Workload ReadOne(SessionShape shape) => Of("read-one-small") with { Name = "read-one", Shape = shape };

    public static Workload SetOne(SessionShape shape) => Of("set-one-small") with { Name = "set-one", Shape = shape };

    /// <summary>Reads as most applications do, who have never heard of LoadAsync.</summary>
    public static Workload Synchronous(string name, string description, int reads) =>
        new(name, description, new(Math.Max(reads, SessionShape.Small.Keys.Length), SessionShape.Small.Value.Length), reads,
            (context, shape) => new(SessionWork.Read(context.Session, shape, reads)))
        {
            Blocks = true,
        };

    /// <summary>Those of a list of names with commas in between, in the order of <see cref="All"/>; all where there is none.</summary>
    /// <exception cref="UsageException">One of them does not exist.</exception>
    public static IReadOnlyList<Workload> Named(string? list) => Names.Choose(list, All, workload => workload.Name, "workload");

    private static Workload Of(string name) => All.First(workload => workload.Name == name);
}
