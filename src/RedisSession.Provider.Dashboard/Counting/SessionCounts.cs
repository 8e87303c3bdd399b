namespace RedisSession.Provider.Dashboard;

/// <summary>
/// How many sessions there were, since this process started: a few hundred counts, however long ago that is. When there is no room left,
/// every second of them goes, so that the last hours are there in detail and the days before in outline.
/// </summary>
internal sealed class SessionCounts
{
    public const int Room = 240;

    public static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly List<SessionCount> _counts = new(Room);
    private TaskCompletionSource _asked = NewQuestion();

    /// <summary>What some of all sessions look like, and when they were seen; null before that.</summary>
    public SeenSessions? Sample { get; set; }

    /// <summary>Done when somebody wants the sessions to be counted before it is time.</summary>
    public Task Asked => Volatile.Read(ref _asked).Task;

    /// <summary>All that are kept, the oldest first. The first of all is always among them.</summary>
    public IReadOnlyList<SessionCount> All
    {
        get
        {
            lock (_gate) return [.. _counts];
        }
    }

    /// <summary>
    /// For who has seen all sessions anyway, so that the last count is not older than the page that shows it. Nothing where nobody counts,
    /// or the last count is seconds old.
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
    /// For who has noticed that the last count is not what there is any more. It is made when it may be, in the background; not at all
    /// where it is seconds old.
    /// </summary>
    public void Ask(DateTimeOffset now)
    {
        lock (_gate)
        {
            if (_counts.Count > 0 && now - _counts[^1].At >= Fresh) _asked.TrySetResult();
        }
    }

    /// <summary>A count begins: who asks from now on asks for the next one.</summary>
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
