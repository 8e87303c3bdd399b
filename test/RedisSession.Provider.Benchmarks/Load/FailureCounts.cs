namespace RedisSession.Provider.Benchmarks;

/// <summary>How many requests went wrong, and how.</summary>
internal readonly record struct FailureCounts(int NothingFound, int Error, int NoAnswer)
{
    public FailureCounts(Func<Outcome, int> count)
        : this(count(Outcome.NothingFound), count(Outcome.Error), count(Outcome.NoAnswer))
    {
    }

    public static FailureCounts Sum(IEnumerable<FailureCounts> all) => all.Aggregate(
        default(FailureCounts),
        (sum, one) => new(sum.NothingFound + one.NothingFound, sum.Error + one.Error, sum.NoAnswer + one.NoAnswer));

    public override string ToString()
    {
        (int Count, string Text)[] kinds = [(NothingFound, "nothing found"), (Error, "error status"), (NoAnswer, "no answer")];
        string text = string.Join(", ", kinds.Where(kind => kind.Count > 0).Select(kind => $"{kind.Count} {kind.Text}"));
        return text.Length > 0 ? text : "0";
    }
}
