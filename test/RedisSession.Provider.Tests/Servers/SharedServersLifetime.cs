namespace RedisSession.Provider.Tests;

/// <summary>What happens once around all tests of the run.</summary>
[SetUpFixture]
internal sealed class SharedServersLifetime
{
    [OneTimeSetUp]
    public void Say_when_only_the_embedded_server_is_there()
    {
        if (TestServers.ProcessKinds.Count == 0)
        {
            // The error stream, because it is the one that a plain "dotnet test" shows.
            TestContext.Error.WriteLine(
                "Found no redis-server or valkey-server: the tests run against the embedded Garnet only, and those that " +
                $"kill or pause a server not at all. Install one, or name one in {ServerDiscovery.ServersVariable}.");
        }
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
                foreach (string pattern in (string[])[ExpiryAudit.SessionKeys, ExpiryAudit.UserLists, .. ExpiryAudit.LifecycleKeys])
                {
                    var keys = await ExpiryAudit.KeysWithoutExpiryAsync(server.Admin, pattern);
                    immortal.AddRange(keys.Select(key => $"{server.Kind}: {key}"));
                }

                var entries = await ExpiryAudit.CacheEntriesWithoutExpiryAsync(server.Admin);
                immortal.AddRange(entries.Select(key => $"{server.Kind}: {key}"));
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
