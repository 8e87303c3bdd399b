namespace RedisSession.Provider.Tests;

/// <summary>Visitors who all write at the same time, while the test does something to the servers.</summary>
internal sealed class WritingCrowd : IAsyncDisposable
{
    private const int AFewWrites = 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _stop = new();
    private readonly List<WritingVisitor> _visitors = [];
    private Task _writing = Task.CompletedTask;

    public IReadOnlyList<WritingVisitor> Visitors => _visitors;

    /// <summary>Adds a visitor whose new session is one of those that <paramref name="isWanted"/>.</summary>
    public async Task AddAsync(TestApp app, Func<WritingVisitor, Task<bool>>? isWanted = null)
    {
        while (true)
        {
            var visitor = new WritingVisitor(app, $"visitor{_visitors.Count}");
            await visitor.EnterAsync();
            if (isWanted is null || await isWanted(visitor))
            {
                _visitors.Add(visitor);
                return;
            }

            visitor.Dispose();
        }
    }

    /// <summary>Returns when everybody has written a little.</summary>
    public async Task StartAsync()
    {
        _writing = Task.WhenAll(_visitors.Select(visitor => Task.Run(() => visitor.WriteAsync(_stop.Token))));
        await UntilEveryoneHasWrittenSinceAsync(DateTime.MinValue);
    }

    /// <summary>Returns when everybody has written a little in requests that began after <paramref name="moment"/>.</summary>
    public async Task UntilEveryoneHasWrittenSinceAsync(DateTime moment)
    {
        var until = DateTime.UtcNow + Patience;
        while (!_visitors.TrueForAll(HasWritten))
        {
            if (_writing.IsCompleted) await _writing; // throws what has ended it
            if (DateTime.UtcNow > until)
            {
                var waiting = _visitors.Where(visitor => !HasWritten(visitor)).Select(visitor => visitor.Name);
                throw new TimeoutException($"Not served within {Patience}: {string.Join(", ", waiting)}.");
            }

            await Task.Delay(20);
        }

        bool HasWritten(WritingVisitor visitor) => visitor.Confirmed.Count(write => write.Begun > moment) >= AFewWrites;
    }

    /// <summary>Stops, and has everybody compare their books with their session.</summary>
    public async Task<CrowdReport> StopAsync()
    {
        await _stop.CancelAsync();
        await _writing;
        var lost = new List<ConfirmedWrite>();
        foreach (var visitor in _visitors) lost.AddRange(await visitor.FindLostAsync());
        return new(
            _visitors.Sum(visitor => visitor.Tried),
            _visitors.Sum(visitor => visitor.Confirmed.Count),
            lost,
            [.. _visitors.Select(visitor => LongestSilence(visitor.Confirmed))],
            [.. _visitors.SelectMany(visitor => visitor.Oddities)]);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var visitor in _visitors) visitor.Dispose();
        _stop.Dispose();
    }

    private static TimeSpan LongestSilence(IReadOnlyList<ConfirmedWrite> writes) =>
        writes.Zip(writes.Skip(1), (one, next) => next.Answered - one.Answered).Max();
}
