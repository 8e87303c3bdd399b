using Microsoft.AspNetCore.Diagnostics;

namespace RedisSession.Provider.Tests;

/// <summary>
/// With <see cref="FailureMode.Throw"/> nothing of a response that claims success is sent when the request's changes could not be written,
/// however the application writes it.
/// </summary>
[TestFixtureSource(typeof(Pipelines), nameof(Pipelines.All))]
internal sealed class UnflushedBodyTests(ServerKind kind, Pipeline pipeline) : BothModesFixture(kind, pipeline)
{
    private const string Success = "{\"saved\":true}";

    private static readonly Dictionary<string, Func<HttpResponse, Task>> Answers = new()
    {
        ["JSON"] = response => response.WriteAsJsonAsync(new { saved = true }),
        ["text"] = response => response.WriteAsync(Success),
        ["the stream"] = response => response.Body.WriteAsync(Encoding.UTF8.GetBytes(Success)).AsTask(),
        ["the pipe"] = async response => await response.BodyWriter.WriteAsync(Encoding.UTF8.GetBytes(Success)),
        ["the pipe, flushed later"] = async response =>
        {
            Advance(response);
            await response.BodyWriter.FlushAsync();
        },
        ["the pipe, then the stream"] = async response =>
        {
            Advance(response);
            await response.Body.WriteAsync(Encoding.UTF8.GetBytes(" "));
        },
        ["the pipe, not flushed"] = response =>
        {
            Advance(response);
            return Task.CompletedTask;
        },
    };

    protected override void Configure(RedisHashSessionOptions options) => options.FailureMode = FailureMode.Throw;

    protected override void Use(IApplicationBuilder app) => base.Use(app.UseExceptionHandler(page => page.Run(context =>
        context.Response.WriteAsync($"failed: {context.Features.Get<IExceptionHandlerFeature>()!.Error.GetType().Name}"))));

    private static IEnumerable<string> Ways => Answers.Keys;

    [TestCaseSource(nameof(Ways))]
    public async Task Nothing_is_left_of_it_when_the_write_has_failed(string way)
    {
        using var browser = Apps[RedisSessionMode.Buffered].NewBrowser();
        await Stack.MakeUnwritableAsync(await browser.SetStringAsync());
        var (status, page) = await browser.PageAsync("/", context =>
        {
            context.Session.SetString("key", "2");
            return Answers[way](context.Response);
        });
        Assert.That(status, Is.EqualTo(HttpStatusCode.InternalServerError));

        // SessionMiddleware swallows the failure when nothing was flushed, and the start of the response is too late for a page.
        bool isBare = Stack.Pipeline == Pipeline.UseSession && way == "the pipe, not flushed";
        Assert.That(page, isBare ? Is.Empty : Is.EqualTo("failed: RedisServerException"));
    }

    [TestCaseSource(nameof(Ways))]
    public async Task It_arrives_whole_when_the_write_is_confirmed(string way)
    {
        using var browser = Apps[RedisSessionMode.Buffered].NewBrowser();
        var (status, page) = await browser.PageAsync("/", async context =>
        {
            context.Session.SetString("key", "2");
            await Answers[way](context.Response);
        });
        Assert.That(status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(page.TrimEnd(), Is.EqualTo(Success));
        Assert.That(await browser.ContentAsync(), Is.EqualTo("key=2"));
    }

    [TestCaseSource(nameof(Ways))]
    public async Task It_arrives_whole_when_the_session_was_set_aside(string way)
    {
        using var browser = Apps[RedisSessionMode.Buffered].NewBrowser();
        await browser.SetStringAsync();
        var (status, page) = await browser.PageAsync("/", async context =>
        {
            context.Session.SetString("key", "2");
            var answer = Answers[way](context.Response);
            context.Session = null!;
            await answer;
        });
        Assert.That((status, page.TrimEnd()), Is.EqualTo((HttpStatusCode.OK, Success)));
    }

    private static void Advance(HttpResponse response) =>
        response.BodyWriter.Advance(Encoding.UTF8.GetBytes(Success, response.BodyWriter.GetSpan(Success.Length)));
}
