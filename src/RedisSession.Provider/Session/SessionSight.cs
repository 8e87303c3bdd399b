using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// What a request knows of its session's hash. <b>Absent</b>: there was none when the request first looked, so it may be created.
/// <b>Ended</b>: there was one, and now it is gone or another is under its key; it stays ended for this request.
/// </summary>
internal readonly record struct SessionSight
{
    private enum State : byte { Unknown, Absent, Present, Ended }

    private readonly State _state;

    private SessionSight(State state, RedisValue lastSeen = default) => (_state, LastSeen) = (state, lastSeen);

    public static SessionSight Unknown => default;

    public static SessionSight Present(RedisValue generation) => new(State.Present, generation);

    public static SessionSight Absent => new(State.Absent);

    /// <summary>The generation seen; null unless present. Kept as received: most requests never need it as text.</summary>
    public RedisValue Generation => IsEnded ? RedisValue.Null : LastSeen;

    /// <summary>The same, also after the end.</summary>
    public RedisValue LastSeen { get; }

    public bool IsUnknown => _state == State.Unknown;

    public bool IsAbsent => _state == State.Absent;

    public bool IsEnded => _state == State.Ended;

    /// <summary>True if a hash of <paramref name="generation"/> is the session seen before, or the first one seen.</summary>
    public bool Accepts(RedisValue generation) =>
        !IsEnded && (Generation.IsNull ? !Tombstone.Is(generation) : Generation == generation);

    /// <summary>
    /// The sight after an answer with <paramref name="generation"/> (null: no hash) to a question asked while the sight was
    /// <paramref name="asked"/>. Answers can be handled out of order where one request runs several tasks: an answer "nothing
    /// there" to a question older than our own creating write says nothing about the session that write made.
    /// </summary>
    public SessionSight After(SessionSight asked, RedisValue generation)
    {
        if (IsEnded && LastSeen.IsNull && !Tombstone.Is(generation)) return new(State.Ended, generation);
        if (IsEnded || !asked.Accepts(generation) || Tombstone.Is(generation)) return Ended();
        if (generation.IsNull) return IsUnknown ? Absent : this;
        if (Generation.IsNull) return Present(generation);
        return Generation == generation ? this : Ended();
    }

    public SessionSight Ended() => new(State.Ended, LastSeen);
}
