using CsCheck;

namespace RedisSession.Provider.Tests;

/// <summary>What of a session is explored.</summary>
[Flags]
internal enum Fields
{
    Reading = 1,
    Writing = 2,
    Atomic = 4,
    Renewal = 8,
    Abandoning = 16,
    Legacy = 32,
    Others = 64,
    Locking = 128,
}

/// <summary>What becomes of commands.</summary>
internal enum Faults
{
    None,

    /// <summary>What is lost or refused has failed.</summary>
    Failures,

    /// <summary>What is lost with the connection is sent again where that is harmless. Nobody blocks on such a command here.</summary>
    Resends,
}

/// <summary>Random plans.</summary>
internal static class Plans
{
    private const int MostSteps = 20;
    private const int MostUpdates = 3; // who has lost the race more often waits for a random time, and there is no clock

    private static readonly (int Weight, Verb Verb, Fields Fields)[] Verbs =
    [
        (14, Verb.Reply, Fields.Reading),
        (3, Verb.Replies, Fields.Reading),
        (3, Verb.Server, Fields.Reading),
        (2, Verb.Get, Fields.Reading),
        (1, Verb.Keys, Fields.Reading),
        (2, Verb.Set, Fields.Writing),
        (1, Verb.Remove, Fields.Writing),
        (1, Verb.Clear, Fields.Writing),
        (4, Verb.Read, Fields.Reading),
        (1, Verb.ReadMany, Fields.Reading),
        (2, Verb.Load, Fields.Reading),
        (1, Verb.Reload, Fields.Reading),
        (3, Verb.SetAsync, Fields.Writing),
        (1, Verb.RemoveAsync, Fields.Writing),
        (2, Verb.Commit, Fields.Writing),
        (1, Verb.Respond, Fields.Writing),
        (2, Verb.Increment, Fields.Atomic),
        (1, Verb.Take, Fields.Atomic),
        (1, Verb.TrySet, Fields.Atomic),
        (1, Verb.Update, Fields.Atomic),
        (3, Verb.Renew, Fields.Renewal),
        (2, Verb.RenewForUser, Fields.Renewal),
        (3, Verb.Abandon, Fields.Abandoning),
        (3, Verb.Lock, Fields.Locking),
        (2, Verb.Unlock, Fields.Locking),
        (3, Verb.OtherLocks, Fields.Locking),
        (2, Verb.OtherUnlocks, Fields.Locking),
        (2, Verb.LeaseEnds, Fields.Locking),
        (2, Verb.OtherSets, Fields.Others),
        (1, Verb.OtherIncrements, Fields.Others),
        (1, Verb.OtherTakes, Fields.Others),
        (2, Verb.OtherRenews, Fields.Others | Fields.Renewal),
        (2, Verb.OtherAbandons, Fields.Others),
        (2, Verb.OtherBegins, Fields.Others),
        (1, Verb.Expires, Fields.Others),
    ];

    public static Gen<Plan> Of(RedisSessionMode mode, Faults faults, Fields fields, int mostRenewals)
    {
        bool isPatient = faults == Faults.Resends;
        var chosen = Verbs.Where(verb => (verb.Fields & ~fields) == 0 && !(isPatient && verb.Verb is (Verb.Get or Verb.Keys))).Select(verb => (verb.Weight, Gen.Const(verb.Verb)));
        var verbs = Gen.Frequency([.. chosen]);
        var fates = faults != Faults.None ? Gen.Frequency((8, Gen.Const(Fate.Answered)), (4, Gen.Enum<Fate>())) : Gen.Const(Fate.Answered);
        Start[] starts = fields.HasFlag(Fields.Legacy) ? [Start.Legacy]
            : fields == Fields.Reading || mostRenewals == 1 ? [Start.Present]
            : [Start.Present, Start.Absent, Start.New];
        var steps = Gen.Select(verbs, Gen.OneOf(Gen.Const("a"), Gen.Const("b")), Gen.Int[0, 5], fates, StepOf).Array[1, MostSteps]
            .Select(steps => Limit(steps, MostUpdates, Verb.Update, Verb.Clear))
            .Select(steps => Limit(steps, mostRenewals, Verb.Renew, Verb.RenewForUser));
        return Gen.Select(
            Gen.OneOf(Array.ConvertAll(starts, Gen.Const)),
            Gen.Bool,
            Gen.Bool,
            Gen.Bool,
            steps,
            (start, strict, user, cluster, steps) => new Plan(mode, start, strict, user, cluster, isPatient, Judged(start, steps)));
    }

    private static Step StepOf(Verb verb, string key, int pick, Fate fate)
    {
        bool hasKey = verb is Verb.Get or Verb.Set or Verb.Remove or Verb.Read or Verb.SetAsync or Verb.RemoveAsync or Verb.Take
            or Verb.TrySet or Verb.OtherSets or Verb.OtherTakes or Verb.OtherBegins;
        bool isRead = verb is Verb.Get or Verb.Read;
        bool isSent = verb is Verb.Reply or Verb.Get or Verb.Keys;
        return new(
            verb,
            verb is Verb.Increment or Verb.OtherIncrements || (isRead && pick == 5) ? SessionRules.Counter
                : verb is Verb.Update || (isRead && pick == 4) ? SessionRules.Json
                : hasKey ? key : "",
            isSent ? pick : 0,
            isSent ? fate : Fate.Answered);
    }

    /// <summary>
    /// Without what the rules cannot judge: what others begin under the old key of a session that was not there.
    /// </summary>
    private static Step[] Judged(Start start, Step[] steps)
    {
        bool isRenewed = steps.Any(step => step.Verb is Verb.Renew or Verb.RenewForUser);
        return isRenewed && start is (Start.Absent or Start.New) ? [.. steps.Where(step => step.Verb < Verb.OtherSets)] : steps;
    }

    private static Step[] Limit(Step[] steps, int most, params Verb[] verbs)
    {
        int found = 0;
        return [.. steps.Where(step => !verbs.Contains(step.Verb) || ++found <= most)];
    }
}
