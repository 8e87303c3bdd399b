using System.Globalization;
using System.Text;

namespace RedisSession.Provider.Tests;

/// <summary>A plan that fails, told with the fewest steps, and what happens at each.</summary>
internal static class Story
{
    public static string Of(Plan plan)
    {
        plan = Shorten(plan);
        var story = new StringBuilder();
        story.AppendLine(CultureInfo.InvariantCulture, $"{plan.Mode}, {plan.Start}{(plan.IsStrict ? ", strict" : "")}{(plan.IsSignedIn ? ", signed in" : "")}");
        string? fault = Interleaving.FindFault(plan, line => story.AppendLine(line));
        return story.Append(fault).ToString();
    }

    /// <summary>Takes away what is not needed for it to fail.</summary>
    private static Plan Shorten(Plan plan)
    {
        while (Simpler(plan).FirstOrDefault(simpler => Interleaving.FindFault(simpler) is not null) is { } simpler) plan = simpler;
        return plan;
    }

    private static IEnumerable<Plan> Simpler(Plan plan)
    {
        for (int i = 0; i < plan.Steps.Length; i++) yield return plan with { Steps = [.. plan.Steps[..i], .. plan.Steps[(i + 1)..]] };
        if (plan.IsStrict) yield return plan with { IsStrict = false };
        if (plan.IsSignedIn) yield return plan with { IsSignedIn = false };
        for (int i = 0; i < plan.Steps.Length; i++)
        {
            var step = plan.Steps[i];
            if (step.Pick > 0) yield return With(i, step with { Pick = step.Pick - 1 });
            if (step.Fate != Fate.Answered) yield return With(i, step with { Fate = Fate.Answered });
        }

        Plan With(int at, Step step)
        {
            var steps = plan.Steps.ToArray();
            steps[at] = step;
            return plan with { Steps = steps };
        }
    }
}
