using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace RedisSession.Provider.Tests;

/// <summary>
/// An application that does not await what it writes. ASP.NET Core forgives that, because nothing of its own delays the start of a
/// response.
/// </summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.All))]
[Parallelizable]
internal sealed class UnawaitedResponseTests(ServerKind kind, Pipeline pipeline)
{
    private const int Visitors = 10;
    private const int Visits = 100;

    [Test]
    public async Task Each_response_has_its_own_body(
        [Values] RedisSessionMode mode, [Values] FailureMode failureMode, [Values(1, 2)] int http)
    {
        var server = await TestServers.GetAsync(kind);
        await using var app = await TestApp.StartAsync(
            services =>
            {
                services.Configure<KestrelServerOptions>(options => options.ConfigureEndpointDefaults(
                    endpoint => endpoint.Protocols = http == 2 ? HttpProtocols.Http2 : HttpProtocols.Http1));
                services.AddRedisHashSession(options =>
                {
                    (options.Configuration, options.KeyPrefix) = (server.ConfigurationString, SessionStack.NewKeyPrefix());
                    (options.Mode, options.FailureMode) = (mode, failureMode);
                });
            },
            app => app.Use(pipeline).Run(context =>
            {
                string text = context.Request.Path.Value!;
                context.Session.SetString("text", text);
                _ = context.Response.WriteAsync(text);
                return Task.CompletedTask;
            }));

        // One client: with HTTP/2 one connection for all.
        using var client = new HttpClient(new HttpClientHandler { UseCookies = false, MaxConnectionsPerServer = Visitors })
        {
            BaseAddress = app.Address,
        };
        int right = 0;
        string? wrong = null;
        await Parallel.ForAsync(0, Visitors, new ParallelOptions { MaxDegreeOfParallelism = Visitors }, async (visitor, _) =>
        {
            string? cookie = null;
            for (int visit = 0; visit < Visits; visit++)
            {
                string text = string.Create(CultureInfo.InvariantCulture, $"/{visitor}/{visit}/{new string('x', visit)}");
                using var request = new HttpRequestMessage(HttpMethod.Get, text)
                {
                    Version = http == 2 ? HttpVersion.Version20 : HttpVersion.Version11,
                    VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                };
                if (cookie is not null) request.Headers.Add("Cookie", cookie);
                using var response = await client.SendAsync(request, CancellationToken.None);
                if (response.Headers.TryGetValues("Set-Cookie", out var set)) cookie = set.Single().Split(';')[0];
                string body = await response.Content.ReadAsStringAsync(CancellationToken.None);
                if (response.StatusCode == HttpStatusCode.OK && body == text) Interlocked.Increment(ref right);
                else wrong = $"{(int)response.StatusCode} {body} in the place of {text}";
            }
        });
        Assert.That(right, Is.EqualTo(Visitors * Visits), wrong);
    }
}
