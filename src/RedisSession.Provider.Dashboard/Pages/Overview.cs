namespace RedisSession.Provider.Dashboard;

/// <summary>The overview above the list: how many sessions there are and were, and their statistics.</summary>
internal static class Overview
{
    private static readonly TimeSpan ShortestRange = TimeSpan.FromHours(1);

    /// <param name="total">How many there are.</param>
    /// <param name="counts">How many there were; empty if counting is disabled.</param>
    /// <param name="seen">Their statistics; null if no sessions have been read.</param>
    /// <param name="place">Where this is shown.</param>
    public static Markup Of(Total total, IReadOnlyList<SessionCount> counts, SeenSessions? seen, Place place) => Markup.Of($"""
        <section class="overview" aria-label="Overview">
        <figure class="card plot">
        <figcaption>
        <p><b>{total.Text}</b> <span class="muted">{total.Note}</span></p>
        {Markup.If(counts.Count > 0, () => Ranges(counts, place))}
        </figcaption>
        {Plot(counts, place)}
        </figure>
        {Markup.If(seen, some => Markup.Of($"{IdleTimes(some, place)}{Users(some, place)}"))}
        </section>
        """);

    private static Markup Plot(IReadOnlyList<SessionCount> counts, Place place)
    {
        if (counts.Count == 0) return Markup.Of($"""<p class="muted">Sessions are not counted over time: CountInterval is infinite.</p>""");
        var shown = place.View.Hours is { } hours ? [.. counts.Where(count => count.At >= place.Now.AddHours(-hours))] : counts;
        if (shown.Count < 2) return Markup.Of($"""<p class="muted">The plot appears after two counts in this period.</p>""");
        long highest = shown.Max(count => count.Count);
        return Markup.Of($"""
            {CountPlot.Of(shown)}
            <p class="muted">Highest {Quantity.Of(highest)} since {Quantity.Moment(shown[0].At)} UTC</p>
            """);
    }

    /// <summary>How far back the plot goes; no choice if all counts are from the last hour.</summary>
    private static Markup Ranges(IReadOnlyList<SessionCount> counts, Place place) =>
        Markup.If(place.Now - counts[0].At > ShortestRange, () => Markup.Of($"""
            <nav class="choice" aria-label="Hours in the plot">
            {View.Ranges.Where(hours => place.Now.AddHours(-hours) > counts[0].At).Select(hours => Range($"{hours} h", hours, place))}
            {Range("all", null, place)}
            </nav>
            """));

    private static Markup Range(string text, int? hours, Place place) =>
        Parts.Choice(text, place.View.Again with { Hours = hours }, isChosen: place.View.Hours == hours);

    private static Markup IdleTimes(SeenSessions seen, Place place)
    {
        int most = Math.Max(1, seen.Idle.Max(step => step.Count));
        return Markup.Of($"""
            <section class="card">
            <h2>Idle for</h2>
            <dl class="bars">
            {seen.Idle.Select(step => Bar(Markup.Of($"{step.Name}"), step.Count, most))}
            </dl>
            <p class="muted">{Source(seen, place)}</p>
            </section>
            """);
    }

    private static Markup Users(SeenSessions seen, Place place)
    {
        int anonymous = seen.Count - seen.SignedIn;
        return Markup.Of($"""
            <section class="card">
            <h2>Users</h2>
            <dl class="bars">
            {Bar(Markup.Of($"signed in"), seen.SignedIn, Math.Max(1, seen.Count), Quantity.Share(seen.SignedIn, seen.Count))}
            {Bar(Markup.Of($"anonymous"), anonymous, Math.Max(1, seen.Count), Quantity.Share(anonymous, seen.Count))}
            </dl>
            {Markup.If(seen.Users.Count > 0, () => MostSessions(seen, place))}
            <p class="muted">{Source(seen, place)}</p>
            </section>
            """);
    }

    private static Markup MostSessions(SeenSessions seen, Place place) => Markup.Of($"""
        <h3>Users with the most sessions</h3>
        <ul class="users">
        {seen.Users.Select(user => Markup.Of($"""<li>{Parts.User(user.User, place.View)} <span class="number">{user.Count}</span></li>"""))}
        </ul>
        """);

    private static Markup Bar(Markup name, int count, int most, string? share = null) => Markup.Of($"""
        <div><dt>{name}</dt><dd>{Quantity.Of(count)}{Markup.If(share, text => Markup.Of($""" <span class="muted">{text}</span>"""))}</dd>
        <svg aria-hidden="true"><rect width="{Quantity.Width(count, most)}" height="100%" rx="3"/></svg></div>
        """);

    /// <summary>How many sessions the statistics cover.</summary>
    private static string Source(SeenSessions seen, Place place)
    {
        string which = seen.IsAll ? $"of all {Quantity.Of(seen.Count, "session")}" : $"of {Quantity.Of(seen.Count, "session")} seen";
        var age = place.Now - seen.At;
        return age < TimeSpan.FromSeconds(2) ? which : $"{which}, {Quantity.Ago(age)}";
    }
}
