using CsCheck;

namespace RedisSession.Provider.Tests;

/// <summary>What an actor does next. Actor 0 is the world: the session expires, or somebody ends it. The others are requests, at two instances.</summary>
internal sealed record SessionOperation(int Actor, SessionVerb Verb, string Key, int Value)
{
    private static readonly Gen<SessionVerb> Verbs = Gen.Frequency(
        (6, Gen.Const(SessionVerb.Set)),
        (3, Gen.Const(SessionVerb.Remove)),
        (2, Gen.Const(SessionVerb.Clear)),
        (4, Gen.Const(SessionVerb.Read)),
        (2, Gen.Const(SessionVerb.ReadKeys)),
        (4, Gen.Const(SessionVerb.ReadAsync)),
        (2, Gen.Const(SessionVerb.ReadSeveralAsync)),
        (3, Gen.Const(SessionVerb.SetAsync)),
        (2, Gen.Const(SessionVerb.RemoveAsync)),
        (2, Gen.Const(SessionVerb.Load)),
        (1, Gen.Const(SessionVerb.Reload)),
        (3, Gen.Const(SessionVerb.Commit)),
        (1, Gen.Const(SessionVerb.Abandon)),
        (3, Gen.Const(SessionVerb.Lock)),
        (2, Gen.Const(SessionVerb.Unlock)),
        (2, Gen.Const(SessionVerb.EndRequest)));

    public static readonly Gen<SessionOperation[]> Sequences =
        Gen.Select(
            Gen.Int[0, 4],
            Verbs,
            Gen.OneOf(Gen.Const("a"), Gen.Const("b"), Gen.Const("@c")),
            Gen.Int[1, 99],
            (actor, verb, key, value) => new SessionOperation(actor, verb, key, value))
            .Array[1, 25];
}

internal enum SessionVerb
{
    Set,
    Remove,
    Clear,
    Read,
    ReadKeys,
    ReadAsync,
    ReadSeveralAsync,
    SetAsync,
    RemoveAsync,
    Load,
    Reload,
    Commit,
    Abandon,
    Lock,
    Unlock,
    EndRequest,
}
