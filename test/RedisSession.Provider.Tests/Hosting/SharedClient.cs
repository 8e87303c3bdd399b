namespace RedisSession.Provider.Tests;

/// <summary>Visitors who share one client, and so with HTTP/2 one connection. Each sends the cookie that it got.</summary>
internal static class SharedClient
{
    /// <summary>All of them at once, each request of one after the other; what a page has to be is said for its path.</summary>
    public static async Task VisitAsync(
        Uri address, Version http, int visitors, int visits, Func<int, int, (string Path, string Body)> page)
    {
        using var client = new HttpClient(new HttpClientHandler { UseCookies = false, MaxConnectionsPerServer = visitors });
        await Parallel.ForAsync(0, visitors, new ParallelOptions { MaxDegreeOfParallelism = visitors }, async (visitor, _) =>
        {
            string? cookie = null;
            for (int visit = 1; visit <= visits; visit++)
            {
                var (path, expected) = page(visitor, visit);
                using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, path));
                (request.Version, request.VersionPolicy) = (http, HttpVersionPolicy.RequestVersionExact);
                if (cookie is not null) request.Headers.Add("Cookie", cookie);
                using var response = await client.SendAsync(request, CancellationToken.None);
                if (response.Headers.TryGetValues("Set-Cookie", out var set)) cookie = set.Single().Split(';')[0];
                string body = await response.Content.ReadAsStringAsync(CancellationToken.None);
                Assert.That((response.StatusCode, body), Is.EqualTo((HttpStatusCode.OK, expected)));
            }
        });
    }
}
