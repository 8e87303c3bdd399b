using Microsoft.Extensions.Hosting;

namespace RedisSession.Provider.Tests;

/// <summary>How the page comes into an application.</summary>
internal sealed class DashboardRegistrationTests
{
    [Test]
    public async Task Without_its_services_the_message_says_what_to_call([Values] bool sessions)
    {
        var builder = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        if (sessions) builder.Services.AddRedisHashSession("localhost:6379");
        else builder.Services.AddRedisSessionsDashboard();
        await using var app = builder.Build();
        Assert.That(
            () => app.MapRedisSessions(),
            Throws.InvalidOperationException.With.Message.Contains(sessions ? "AddRedisSessionsDashboard" : "AddRedisHashSession"));
    }

    [Test]
    public void Null_arguments_are_refused()
    {
        var builder = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        builder.Services.AddRedisHashSession("localhost:6379").AddRedisSessionsDashboard();
        using var app = builder.Build();
        Assert.That(() => ((IServiceCollection)null!).AddRedisSessionsDashboard(), Throws.ArgumentNullException);
        Assert.That(() => RedisSessionsDashboardEndpointRouteBuilderExtensions.MapRedisSessions(null!), Throws.ArgumentNullException);
        Assert.That(() => app.MapRedisSessions(null!), Throws.ArgumentNullException);
    }

    /// <summary>All links are relative to the page: nothing needs to know where it is.</summary>
    [TestCase("/admin", "/{tenant}/sessions", "/admin/acme/sessions")]
    [TestCase("", "/", "/"), TestCase("/base", "/a/b/", "/base/a/b")]
    public async Task It_works_wherever_it_is_mapped(string pathBase, string pattern, string path)
    {
        var server = await TestServers.GetAsync(ServerKind.Garnet);
        await using var app = await TestApp.StartAsync(
            services => services
                .AddRedisHashSession(options =>
                    (options.Configuration, options.KeyPrefix) = (server.ConfigurationString, SessionStack.NewKeyPrefix()))
                .AddRedisSessionsDashboard(options => options.CountInterval = Timeout.InfiniteTimeSpan),
            pipeline =>
            {
                pipeline.ApplicationServices.GetRequiredService<IHostEnvironment>().EnvironmentName = "Development";
                pipeline.UsePathBase(pathBase);
                pipeline.UseSession();
                pipeline.MapWhen(context => !context.Request.Headers.ContainsKey("X-Work"), branch =>
                {
                    branch.UseRouting();
                    branch.UseEndpoints(endpoints => endpoints.MapRedisSessions(pattern));
                });
            });
        using var browser = app.NewBrowser();
        string id = await browser.SetStringAsync();
        using var @operator = new Operator(app, path);
        Assert.That((await @operator.LeafThroughAsync()).SelectMany(page => page.Ids).Distinct(), Is.EqualTo([id]));
        var one = await @operator.GetAsync($"?session={id}");
        Assert.That(one.Status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That((await @operator.FollowAsync(await @operator.PressAsync(one, "end", id))).Ids, Is.Empty);
    }
}
