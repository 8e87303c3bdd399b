using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace RedisSession.Provider.Tests;

internal sealed class SessionMetricsTests
{
    [Test]
    public async Task A_refused_write_is_counted_once()
    {
        var stack = new OurStack(ServerKind.Garnet);
        await using var app = await stack.StartAsync();
        var meters = app.Services.GetRequiredService<IMeterFactory>();
        long refused = 0;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Scope == meters && instrument.Name == SessionMetrics.RefusedWrites) self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref refused, value));
        listener.Start();

        using var browser = app.NewBrowser();
        await browser.VisitAsync(session => session.SetString("key", "1"));
        Assert.That(refused, Is.Zero);
        await browser.VisitAsync(async context =>
        {
            _ = await context.Session.GetStrAsync("key");
            await (await stack.DatabaseAsync()).KeyDeleteAsync(stack.KeyOf(context.Session.Id));
            context.Session.SetString("late", "1");
        });
        Assert.That(refused, Is.EqualTo(1));
    }
}
