namespace RedisSession.Provider.Benchmarks;

/// <summary>What became of a request.</summary>
internal enum Outcome
{
    /// <summary>All that was asked for was found.</summary>
    Answered,

    /// <summary>A success by its status, but the session was not all there: ASP.NET Core's way when Redis does not answer.</summary>
    NothingFound,

    /// <summary>Another status than 200.</summary>
    Error,

    /// <summary>None came, or not in time.</summary>
    NoAnswer,
}

/// <summary>One request; the times count from the start of the phase that it is part of.</summary>
internal readonly record struct Visit(Outcome Outcome, TimeSpan Start, TimeSpan End)
{
    public TimeSpan Latency => End - Start;
}
