namespace RedisSession.Provider.Tests;

/// <summary>The sessions page in Development on one kind of server; each test has an operator of its own.</summary>
internal abstract class DashboardFixture(ServerKind kind)
{
    protected ServerKind Kind => kind;

    protected string KeyPrefix { get; } = SessionStack.NewKeyPrefix();

    protected TestApp App { get; private set; } = null!;

    protected Operator Operator { get; private set; } = null!;

    [OneTimeSetUp]
    public async Task StartApp() => App = await DashboardApp.StartAsync(kind, KeyPrefix);

    [OneTimeTearDown]
    public async Task StopApp() => await App.DisposeAsync();

    [SetUp]
    public void StartOperator() => Operator = new(App);

    [TearDown]
    public void StopOperator() => Operator.Dispose();

    /// <summary>Somebody's session: as <see cref="Fill"/> has it, or as <paramref name="fill"/> does. Returns its id.</summary>
    protected async Task<string> NewSessionAsync(string? user = null, Action<ISession>? fill = null, TestApp? app = null)
    {
        using var browser = (app ?? App).NewBrowser();
        return await browser.VisitAsAsync(user, session =>
        {
            (fill ?? (it => Fill(it)))(session);
            return session.Id;
        });
    }

    /// <summary>Two keys; returns the id.</summary>
    internal static string Fill(ISession session)
    {
        session.SetString("name", "ann");
        session.SetValue("visits", 1);
        return session.Id;
    }

    protected IEnumerable<RecordedLogs.Entry> LogsAbout(string text, int eventId) =>
        App.Logs.Of(eventId).Where(entry => entry.Message.Contains(text, StringComparison.Ordinal));
}
