namespace RedisSession.Provider.Tests;

/// <summary>Visitors who all write at the same time, while the test does something to the servers.</summary>
internal sealed class WritingCrowd(string configuration) : IAsyncDisposable
{
    private const int AFewWrites = 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<RedisSessionMode, TestApp> _apps = [];
    private readonly List<WritingVisitor> _visitors = [];
    private Task _writing = Task.CompletedTask;

    public IReadOnlyList<WritingVisitor> Visitors => _visitors;

    /// <summary>Adds a visitor to an application in each mode, whose new session is one of those that <paramref name="isWanted"/>.</summary>
    public async Task AddInEachModeAsync(Func<WritingVisitor, Task<bool>>? isWanted = null)
    {
        foreach (var mode in Enum.GetValues<RedisSessionMode>())
        {
            if (!_apps.TryGetValue(mode, out var app))
            {
                _apps[mode] = app = await TestApp.StartAsync(
                    configuration, options => (options.Mode, options.FailureMode) = (mode, FailureMode.Throw));
            }

            while (true)
            {
                var visitor = new WritingVisitor(app, $"visitor{_visitors.Count}");
                await visitor.EnterAsync();
                if (isWanted is null || await isWanted(visitor))
                {
                    _visitors.Add(visitor);
                    break;
                }

                visitor.Dispose();
            }
        }
    }

    /// <summary>Everybody is served again after the failover, and has what was confirmed by the new primary, and nothing odd.</summary>
    public async Task SurvivesAsync(Func<Task<ServerProcess>> kill, Func<ServerProcess, Task> waitForFailover)
    {
        _writing = Task.WhenAll(_visitors.Select(visitor => Task.Run(() => visitor.WriteAsync(_stop.Token))));
        await UntilEveryoneHasWrittenSinceAsync(DateTime.MinValue);
        var killed = await kill();
        var disaster = DateTime.UtcNow;
        await waitForFailover(killed);
        var takenOver = DateTime.UtcNow;
        await UntilEveryoneHasWrittenSinceAsync(takenOver);

        await _stop.CancelAsync();
        await _writing;
        var lost = new List<ConfirmedWrite>();
        foreach (var visitor in _visitors) lost.AddRange(await visitor.FindLostAsync());
        TestContext.Progress.WriteLine(
            $"A replica took over after {(takenOver - disaster).TotalSeconds:0.00} s. Of {_visitors.Sum(visitor => visitor.Confirmed.Count)} "
            + $"confirmed writes {lost.Count} were lost: Redis replicates asynchronously.");
        Assert.That(_visitors.SelectMany(visitor => visitor.Oddities), Is.Empty);
        Assert.That(lost.Where(write => write.Begun > disaster), Is.Empty, "confirmed by the new primary, and not there");
    }

    /// <summary>Returns when everybody has written a little in requests that began after <paramref name="moment"/>.</summary>
    private async Task UntilEveryoneHasWrittenSinceAsync(DateTime moment)
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

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var visitor in _visitors) visitor.Dispose();
        foreach (var app in _apps.Values) await app.DisposeAsync();
        _stop.Dispose();
    }
}
