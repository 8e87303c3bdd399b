namespace RedisSession.Provider.Tests;

/// <summary>What happens once around all tests of the run.</summary>
[SetUpFixture]
internal sealed class SharedServersLifetime
{
    [OneTimeSetUp]
    public void Say_which_servers_there_are_and_what_is_left_out()
    {
        // The error stream, because it is the one that a plain "dotnet test" shows.
        var said = TestContext.Error;
        said.WriteLine($"Servers: {string.Join(", ", TestServers.Kinds)}.");
        if (TestServers.ProcessKinds.Count == 0)
            said.WriteLine("Left out: the tests that kill or pause a server, because there is no redis-server or valkey-server. "
                + $"Install one, or name one in {ServerDiscovery.ServersVariable}.");
        if (FullRun.IsAskedFor) return;
        if (TestServers.LeftOut is { Count: > 0 } servers) said.WriteLine($"Left out: {string.Join(", ", servers)}.");
        said.WriteLine($"Left out: tests of the category {FullRun.Only}, unless a filter selects them. All of it: {FullRun.Command}");
    }

    /// <summary>Every test has left its keys here, so this one look covers every way in which any of them wrote a session.</summary>
    [OneTimeTearDown]
    public async Task No_test_has_left_a_session_without_expiry_or_a_cache_entry_without_its_own()
    {
        try
        {
            var immortal = new List<string>();
            foreach (var server in await TestServers.GetStartedAsync())
            {
                var keys = new List<string>(await ExpiryAudit.CacheEntriesWithoutExpiryAsync(server.Admin));
                foreach (string pattern in (string[])[ExpiryAudit.SessionKeys, ExpiryAudit.UserLists, .. ExpiryAudit.LifecycleKeys])
                    keys.AddRange(await ExpiryAudit.KeysWithoutExpiryAsync(server.Admin, pattern));
                immortal.AddRange(keys.Select(key => $"{server.Kind}: {key}"));
            }

            Assert.That(
                immortal,
                Is.Empty,
                "Keys of sessions, or of what belongs to them, without expiry; cache entries without the one that they name.");
        }
        finally
        {
            await TestServers.StopAllAsync();
        }
    }
}
