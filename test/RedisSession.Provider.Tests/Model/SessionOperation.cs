using CsCheck;

namespace RedisSession.Provider.Tests;

/// <summary>What an actor does next. Actor 0 is the world: the session expires, or somebody ends it. The others are requests, at two instances.</summary>
internal sealed record SessionOperation(int Actor, SessionVerb Verb, string Key, int Value)
{
    // Each as often as is said here, beside the others.
    private static readonly Gen<SessionVerb> Verbs = Gen.Frequency(((int Often, SessionVerb Verb)[])
    [
        (6, SessionVerb.Set), (3, SessionVerb.Remove), (2, SessionVerb.Clear), (4, SessionVerb.Read), (2, SessionVerb.ReadKeys),
        (4, SessionVerb.ReadAsync), (2, SessionVerb.ReadSeveralAsync), (3, SessionVerb.SetAsync), (2, SessionVerb.RemoveAsync),
        (2, SessionVerb.Load), (1, SessionVerb.Reload), (3, SessionVerb.Commit), (1, SessionVerb.Abandon),
        (3, SessionVerb.Lock), (2, SessionVerb.Unlock), (2, SessionVerb.EndRequest),
    ]);

    public static readonly Gen<SessionOperation[]> Sequences = Gen.Select(
        Gen.Int[0, 4], Verbs, Gen.OneOf(Gen.Const("a"), Gen.Const("b"), Gen.Const("@c")), Gen.Int[1, 99],
        (actor, verb, key, value) => new SessionOperation(actor, verb, key, value)).Array[1, 25];
}

internal enum SessionVerb
{
    Set, Remove, Clear, Read, ReadKeys, ReadAsync, ReadSeveralAsync, SetAsync, RemoveAsync, Load, Reload, Commit, Abandon, Lock, Unlock,
    EndRequest,
}
