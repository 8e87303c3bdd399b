using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace RedisSession.Provider.Tests;

/// <summary>
/// An application that does not await what it writes. ASP.NET Core forgives that, because nothing of its own delays the start of a
/// response.
/// </summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.All))]
internal sealed class UnawaitedResponseTests(ServerKind kind, Pipeline pipeline)
{
    [Test]
    public async Task Each_response_has_its_own_body(
        [Values] RedisSessionMode mode, [Values] FailureMode failureMode, [Values(1, 2)] int http)
    {
        await using var app = await new OurStack(kind).StartAsync(
            options => (options.Mode, options.FailureMode) = (mode, failureMode),
            services => services.Configure<KestrelServerOptions>(options => options.ConfigureEndpointDefaults(
                endpoint => endpoint.Protocols = http == 2 ? HttpProtocols.Http2 : HttpProtocols.Http1)),
            app => app.Use(pipeline).Run(context =>
            {
                string text = context.Request.Path.Value!;
                context.Session.SetString("text", text);
                _ = context.Response.WriteAsync(text);
                return Task.CompletedTask;
            }));

        var version = http == 2 ? HttpVersion.Version20 : HttpVersion.Version11;
        await SharedClient.VisitAsync(app.Address, version, visitors: 10, visits: 100, (visitor, visit) =>
        {
            string text = string.Create(CultureInfo.InvariantCulture, $"/{visitor}/{visit}/{new string('x', visit)}");
            return (text, text);
        });
    }
}
