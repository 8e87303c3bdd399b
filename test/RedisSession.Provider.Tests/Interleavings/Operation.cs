namespace RedisSession.Provider.Tests;

/// <summary>What happens next.</summary>
internal enum Verb
{
    // A reply arrives, all do, or what was sent takes effect while its replies are still on their way.
    Reply,
    Replies,
    Server,

    // A task of the request calls a member that blocks, or does nothing but collect.
    Get,
    Keys,
    Set,
    Remove,
    Clear,

    // A task of the request calls an asynchronous member, and goes on when the replies have arrived.
    Read,
    ReadMany,
    Load,
    Reload,
    SetAsync,
    RemoveAsync,
    Commit,
    Increment,
    Take,
    TrySet,
    Update,
    Renew,
    RenewForUser,
    Abandon,
    Lock,
    Unlock,
    Respond,
    EndRequest,

    // Other requests with the same cookie, at once and without a fault; or the session expires.
    OtherSets,
    OtherIncrements,
    OtherTakes,
    OtherRenews,
    OtherAbandons,
    OtherBegins,
    OtherLocks,
    OtherUnlocks,
    Expires,

    // Whoever holds the lock has not been heard of for longer than its lease.
    LeaseEnds,
}

/// <param name="Verb">What happens.</param>
/// <param name="Key">The session key that it is about.</param>
/// <param name="Pick">Which reply; or how many steps happen while this one blocks its thread.</param>
/// <param name="Fate">What becomes of the command that is waited for.</param>
internal sealed record Step(Verb Verb, string Key = "", int Pick = 0, Fate Fate = Fate.Answered)
{
    public bool IsOfRequest => Verb is >= Verb.Get and <= Verb.EndRequest;

    public bool Blocks => Verb is Verb.Get or Verb.Keys;

    public override string ToString()
    {
        string fate = Fate is Fate.Answered ? "" : $" ({Fate})";
        return Verb switch
        {
            Verb.Reply => $"reply {Pick} arrives{fate}",
            Verb.Replies => "all replies arrive",
            Verb.Server => "the server carries out what was sent",
            Verb.Get or Verb.Keys => $"the request: {Verb}({Key}), and while it blocks the next {Pick} steps{fate}",
            < Verb.OtherSets => $"the request: {Verb}({Key})",
            Verb.Expires => "the session expires",
            Verb.LeaseEnds => "the lease of the lock ends",
            _ => $"another request: {Verb}({Key})",
        };
    }
}

/// <summary>What a request finds: whose key it is, and what is there.</summary>
internal enum Start
{
    /// <summary>There is a session.</summary>
    Present,

    /// <summary>There is none, but the client has a cookie.</summary>
    Absent,

    /// <summary>There is none, and the session key is made for this request.</summary>
    New,

    /// <summary>There is one that AddSession has left.</summary>
    Legacy,
}

/// <param name="Mode">Of the session.</param>
/// <param name="Start">What the request finds.</param>
/// <param name="IsStrict"><see cref="FailureMode.Throw"/>.</param>
/// <param name="IsSignedIn">The request has a user.</param>
/// <param name="IsCluster">Each session is on a server of its own.</param>
/// <param name="IsPatient">What was lost with the connection is sent again, by a client that is connected again.</param>
/// <param name="Steps">What happens, before all replies arrive, the response starts and the request is over.</param>
internal sealed record Plan(RedisSessionMode Mode, Start Start, bool IsStrict, bool IsSignedIn, bool IsCluster, bool IsPatient, Step[] Steps);

/// <summary>A call of a member of the session by a task of the request.</summary>
internal sealed class Operation(int number, Step step, int start)
{
    public const int Never = int.MaxValue;

    public int Number { get; } = number;

    public Verb Verb { get; } = step.Verb;

    public string Key { get; } = step.Key;

    /// <summary>What it sets: no two set the same.</summary>
    public string Value { get; } = $"v{number}";

    /// <summary>How many steps happen while it blocks; what becomes of the reply that it waits for then.</summary>
    public (int Steps, Fate Fate) Blocking { get; set; } = (step.Pick, step.Fate);

    public int Start { get; } = start;

    public int End { get; set; } = Never;

    public object? Result { get; set; }

    public Exception? Error { get; set; }

    public bool HasSucceeded => End != Never && Error is null;

    /// <summary>The lives of the session that replies have told it of.</summary>
    public List<int> Lives { get; } = [];

    public override string ToString() => $"{Number} {Verb}({(Key.Length > 0 ? Key : "")})";
}
