using System.Net;
using Microsoft.AspNetCore.Http;
using StackExchange.Redis;

namespace RedisSession.Provider.Tests;

/// <summary>Writes that the application does not wait for, on a server that takes its time: the response does.</summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
[Parallelizable]
internal sealed class UnderWayTests(ServerKind kind)
{
    private static readonly string[] Ways = ["not awaited", "cancelled"];

    [Test]
    public async Task A_response_does_not_start_before_an_asynchronous_write_is_confirmed(
        [ValueSource(nameof(Ways))] string way, [Values] RedisSessionMode mode)
    {
        await using var own = await StartAsync(mode);
        await own.Browser.VisitAsync(async context =>
        {
            own.Server.Pause();
            Task start;
            try
            {
                await LeaveUnderWayAsync(context.Session, way);
                start = context.Response.StartAsync();
                Assert.That(await Task.WhenAny(start, Task.Delay(200)), Is.Not.SameAs(start));
            }
            finally
            {
                own.Server.Resume();
            }

            await start;
        });
        Assert.That(await own.Browser.VisitAsync(session => session.GetString("key")), Is.EqualTo("new"));
    }

    [Test]
    public async Task An_asynchronous_write_that_fails_while_nobody_waits_for_it_is_a_500(
        [ValueSource(nameof(Ways))] string way, [Values] RedisSessionMode mode)
    {
        await using var own = await StartAsync(mode);
        await MakeUnwritableAsync(own);
        using var response = await own.Browser.SendAsync(async context =>
        {
            own.Server.Pause();
            Task start;
            try
            {
                await LeaveUnderWayAsync(context.Session, way);
                start = context.Response.WriteAsync("all is well");
            }
            finally
            {
                own.Server.Resume();
            }

            await start;
        });
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.InternalServerError));
    }

    // Who cancels has been told that the wait is over, and not that the write has failed.
    [Test]
    public async Task A_commit_that_is_cancelled_and_fails_afterwards_is_a_500([Values] RedisSessionMode mode)
    {
        await using var own = await StartAsync(mode);
        await MakeUnwritableAsync(own);
        using var response = await own.Browser.SendAsync(async context =>
        {
            own.Server.Pause();
            try
            {
                context.Session.SetString("key", "new");
                using var impatient = new CancellationTokenSource();
                var commit = context.Session.CommitAsync(impatient.Token);
                await impatient.CancelAsync();
                Assert.That(async () => await commit, Throws.InstanceOf<OperationCanceledException>());
            }
            finally
            {
                own.Server.Resume();
            }

            await context.Response.WriteAsync("all is well");
        });
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.InternalServerError));
    }

    private static async Task LeaveUnderWayAsync(ISession session, string way)
    {
        using var impatient = new CancellationTokenSource();
        var write = session.SetAsync("key", "new"u8.ToArray(), way == "cancelled" ? impatient.Token : CancellationToken.None);
        if (way != "cancelled") return;
        await impatient.CancelAsync();
        Assert.That(async () => await write, Throws.InstanceOf<OperationCanceledException>());
    }

    /// <summary>Puts something under the session's key that is no hash.</summary>
    private static async Task MakeUnwritableAsync(OwnServerApp own)
    {
        string id = await own.Browser.VisitAsync(session => session.Id);
        await using var admin = await ConnectionMultiplexer.ConnectAsync(own.Server.ConfigurationString);
        await admin.GetDatabase().KeyDeleteAsync($"sessions:{id}");
        await admin.GetDatabase().StringSetAsync($"sessions:{id}", "no hash", TimeSpan.FromMinutes(5));
    }

    private Task<OwnServerApp> StartAsync(RedisSessionMode mode) =>
        OwnServerApp.StartAsync(kind, options => (options.Mode, options.FailureMode) = (mode, FailureMode.Throw));
}
