namespace RedisSession.Provider.Tests;

/// <summary>The directory behind proxies, and for users with few rights: the size of a session is the one thing that it can do without.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed class ProxyTests(ServerKind kind)
{
    [Test]
    public async Task A_proxy_that_cuts_the_connection_at_unknown_commands_is_asked_for_none()
    {
        var server = await TestServers.GetAsync(kind);
        await using var relay = new Relay(server.ConfigurationString);
        relay.CutAt("MEMORY");
        await using var app = await StartAsync($"{relay.Address},proxy=Twemproxy");
        string id = await SignInAsync(app);
        var found = await app.Directory.FindByUserAsync("ann").SingleAsync();
        Assert.That((found.Id, found.SizeInBytes), Is.EqualTo((id, (long?)null)));
        Assert.That(relay.Cuts, Is.Zero);
    }

    [Test]
    public async Task Who_has_no_right_to_the_size_is_refused_it_once()
    {
        await using var server = await ServerProcess.StartAsync(kind);
        await Resp.AskAsync(server.Port, "ACL", "SETUSER", "shop", "on", ">password", "~*", "&*", "+@all", "-memory");
        await using var app = await StartAsync($"redis://shop:password@{server.ConfigurationString}");
        await SignInAsync(app);
        for (int i = 0; i < 3; i++) Assert.That((await app.Directory.FindByUserAsync("ann").SingleAsync()).SizeInBytes, Is.Null);
        string? statistics = (await Resp.AskAsync(server.Port, "INFO", "commandstats")).Line("cmdstat_memory|usage");
        Assert.That(statistics, Does.EndWith("rejected_calls=1,failed_calls=0"));
    }

    private static async Task<string> SignInAsync(TestApp app)
    {
        using var browser = app.NewBrowser();
        return await browser.NewSessionAsync("ann", byName: true);
    }

    private static Task<TestApp> StartAsync(string configuration) => TestApp.StartAsync(
        configuration, options => (options.KeyPrefix, options.FailureMode) = (SessionStack.NewKeyPrefix(), FailureMode.Throw));
}
