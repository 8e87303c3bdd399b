using System.Text.RegularExpressions;

namespace RedisSession.Provider.Tests;

/// <summary>A plan that fails, told with the fewest steps, and what happens at each.</summary>
internal static partial class Story
{
    /// <summary>Of sessions and users, which say nothing to a reader.</summary>
    [GeneratedRegex(@"(?<=(sessions|users):)[\w-]{43}|(?<=left:)[\w-]+")]
    private static partial Regex Ids();

    public static string Of(Plan plan)
    {
        plan = Shorten(plan);
        var story = new StringBuilder();
        (bool Is, string What)[] settings =
            [(plan.IsStrict, "strict"), (plan.IsSignedIn, "signed in"), (plan.IsCluster, "in a cluster"), (plan.IsPatient, "lost commands are sent again")];
        story.AppendLine(string.Join(", ", [$"{plan.Mode}, {plan.Start}", .. settings.Where(one => one.Is).Select(one => one.What)]));
        string? fault = Interleaving.FindFault(plan, line => story.AppendLine(line));
        var names = new List<string>();
        return Ids().Replace(story.Append(fault).ToString(), id =>
        {
            if (!names.Contains(id.Value)) names.Add(id.Value);
            return (names.IndexOf(id.Value) + 1).ToString(CultureInfo.InvariantCulture);
        });
    }

    /// <summary>Takes away what is not needed for it to fail.</summary>
    private static Plan Shorten(Plan plan)
    {
        while (Simpler(plan).FirstOrDefault(simpler => Interleaving.FindFault(simpler) is not null) is { } simpler) plan = simpler;
        return plan;
    }

    private static IEnumerable<Plan> Simpler(Plan plan)
    {
        var steps = plan.Steps;
        for (int i = 0; i < steps.Length; i++)
        {
            yield return plan with { Steps = [.. steps.Where((_, at) => at != i)] };
            for (int j = i + 1; j < steps.Length; j++) yield return plan with { Steps = [.. steps.Where((_, at) => at != i && at != j)] };
        }

        if (plan.IsStrict) yield return plan with { IsStrict = false };
        if (plan.IsCluster) yield return plan with { IsCluster = false };
        if (plan.IsSignedIn) yield return plan with { IsSignedIn = false };
        for (int i = 0; i < steps.Length; i++)
        {
            var step = steps[i];
            if (step.Pick > 0) yield return With(i, step with { Pick = step.Pick - 1 });
            if (step.Fate != Fate.Answered) yield return With(i, step with { Fate = Fate.Answered });
            if (step.Verb == Verb.RenewForUser) yield return With(i, step with { Verb = Verb.Renew });
            if (step.Verb is Verb.ReadMany || step.Blocks) yield return With(i, step with { Verb = Verb.Read, Key = "a", Pick = 0 });
            if (step.Verb is Verb.TrySet or Verb.Take or Verb.Set) yield return With(i, step with { Verb = Verb.SetAsync });
        }

        Plan With(int at, Step step) => plan with { Steps = [.. steps[..at], step, .. steps[(at + 1)..]] };
    }
}
