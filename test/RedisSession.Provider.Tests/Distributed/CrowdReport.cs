namespace RedisSession.Provider.Tests;

/// <summary>What came of it.</summary>
/// <param name="Tried">Writes, each in a request of its own.</param>
/// <param name="Confirmed">Those whose request succeeded.</param>
/// <param name="Lost">The confirmed ones that are not in the session: Redis replicates asynchronously, so there may be some.</param>
/// <param name="Silences">For each visitor the longest time from one confirmed write to the next.</param>
/// <param name="Oddities">What no session may ever show: another's data, or what was never written.</param>
internal sealed record CrowdReport(
    int Tried, int Confirmed, IReadOnlyList<ConfirmedWrite> Lost, IReadOnlyList<TimeSpan> Silences, IReadOnlyList<string> Oddities)
{
    public override string ToString() =>
        $"{Tried} writes tried, {Confirmed} confirmed, of these {Lost.Count} lost; longest silence of each visitor: " +
        string.Join(", ", Silences.Select(silence => $"{silence.TotalSeconds:0.00}")) + " s";
}
