namespace RedisSession.Provider.Dashboard;

/// <summary>
/// The session counts since this process started: at most a few hundred, however long ago that was. When there is no room left, every
/// second count is dropped, so that the last hours are kept in detail and the days before in outline.
/// </summary>
internal sealed class SessionCounts
{
    public const int Room = 240;

    public static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly List<SessionCount> _counts = new(Room);
    private TaskCompletionSource _asked = NewQuestion();

    /// <summary>Statistics of a sample of all sessions, and when it was taken; null until then.</summary>
    public SeenSessions? Sample { get; set; }

    /// <summary>Completes when a count is requested before it is due.</summary>
    public Task Asked => Volatile.Read(ref _asked).Task;

    /// <summary>All counts that are kept, oldest first. The very first count is always among them.</summary>
    public IReadOnlyList<SessionCount> All
    {
        get
        {
            lock (_gate) return [.. _counts];
        }
    }

    /// <summary>
    /// Adds a count from a caller that has read all sessions anyway, so that the last count is not older than the page that shows it. Does
    /// nothing if counting is disabled or the last count is only seconds old.
    /// </summary>
    public void AddSeen(SessionCount count)
    {
        lock (_gate)
        {
            if (_counts.Count == 0 || count.At - _counts[^1].At < Fresh) return;
        }

        Add(count);
    }

    /// <summary>
    /// Requests a new count, for a caller that has noticed that the last one is outdated. It is made in the background as soon as allowed;
    /// not at all if the last count is only seconds old.
    /// </summary>
    public void Ask(DateTimeOffset now)
    {
        lock (_gate)
        {
            if (_counts.Count > 0 && now - _counts[^1].At >= Fresh) _asked.TrySetResult();
        }
    }

    /// <summary>A count begins: requests from now on are for the next one.</summary>
    public void Begin() => Volatile.Write(ref _asked, NewQuestion());

    public void Add(SessionCount count)
    {
        lock (_gate)
        {
            if (_counts.Count == Room) Thin();
            _counts.Add(count);
        }
    }

    private static TaskCompletionSource NewQuestion() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Thin()
    {
        int kept = 0;
        for (int i = 0; i < _counts.Count; i += 2) _counts[kept++] = _counts[i];
        _counts.RemoveRange(kept, _counts.Count - kept);
    }
}
