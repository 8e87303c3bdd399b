namespace RedisSession.Provider.Tests;

/// <summary>A primary dies while everybody writes: visitors of applications in both modes.</summary>
internal sealed class Failover : IAsyncDisposable
{
    private const int AFewWrites = 20;

    private readonly List<TestApp> _apps = [];
    private readonly List<Browser> _browsers = [];

    public static async Task<Failover> StartAsync(string configuration)
    {
        var failover = new Failover();
        foreach (var mode in Enum.GetValues<RedisSessionMode>())
            failover._apps.Add(await TestApp.StartAsync(configuration, options => (options.Mode, options.FailureMode) = (mode, FailureMode.Throw)));
        return failover;
    }

    /// <summary>Adds a visitor in each mode, the key of whose session <paramref name="isWanted"/>.</summary>
    public async Task AddVisitorsAsync(Func<string, Task<bool>>? isWanted = null)
    {
        isWanted ??= _ => Task.FromResult(true);
        foreach (var app in _apps)
        {
            Browser? browser = null;
            do
            {
                browser?.Dispose();
                browser = app.NewBrowser();
            }
            while (!await isWanted("sessions:" + await browser.SetStringAsync()));
            _browsers.Add(browser);
        }
    }

    /// <summary>Everybody is served again after it, and has what the new primary has confirmed, and nothing odd.</summary>
    public async Task IsSurvivedAsync(Func<Task<ServerProcess>> kill, Func<ServerProcess, Task> waitForFailover)
    {
        await using var load = CounterLoad.Start(_browsers, CounterLoad.Way.KeyForEach);
        await load.UntilServedAsync(AFewWrites);
        var killed = await kill();
        var disaster = DateTime.UtcNow;
        await waitForFailover(killed);
        var takenOver = DateTime.UtcNow - disaster;
        await load.UntilServedAsync(AFewWrites);
        var lost = await load.StopAndFindLostAsync();

        TestContext.Progress.WriteLine(
            $"A replica took over after {takenOver.TotalSeconds:0.00} s. Of {load.Confirmed} confirmed writes {lost.Count} were lost.");
        Assert.That(load.Faults, Is.Empty);
        Assert.That(lost.Where(write => write.Begun > disaster), Is.Empty, "confirmed by the new primary, and not there");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var app in _apps) await app.DisposeAsync();
    }
}
