using System.Text.Json;
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
        ["the stream, as in old code"] = response => Task.Factory.FromAsync(
            (callback, state) => response.Body.BeginWrite(Encoding.UTF8.GetBytes(Success), 0, Success.Length, callback, state),
            response.Body.EndWrite,
            null),
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

    /// <summary>As <see cref="Utf8JsonWriter"/> does: what it has borrowed it returns when it is flushed.</summary>
    [Test]
    public async Task What_is_written_before_and_after_a_commit_arrives_whole([Values] RedisSessionMode mode, [Values] bool commits)
    {
        using var browser = Apps[mode].NewBrowser();
        var (status, page) = await browser.PageAsync("/", async context =>
        {
            context.Session.SetString("key", "2");
            await using var writer = new Utf8JsonWriter(context.Response.BodyWriter);
            writer.WriteStartObject();
            if (commits) await context.Session.CommitAsync();
            writer.WriteBoolean("saved", true);
            writer.WriteEndObject();
        });
        Assert.That((status, page), Is.EqualTo((HttpStatusCode.OK, Success)));
    }

    [Test]
    public async Task A_body_that_nobody_awaits_is_no_success_when_the_write_has_failed([Values] RedisSessionMode mode, [Values] bool starts)
    {
        using var browser = Apps[mode].NewBrowser();
        await Stack.MakeUnwritableAsync(await browser.SetStringAsync());
        var (status, page) = await browser.PageAsync("/", context =>
        {
            context.Session.SetString("key", "2");
            _ = starts ? context.Response.StartAsync() : context.Response.WriteAsync(Success);
            return Task.CompletedTask;
        });
        Assert.That(status, Is.EqualTo(HttpStatusCode.InternalServerError));
        Assert.That(page, Does.Not.Contain("saved"));
    }

    [Test]
    public async Task Whoever_catches_the_failure_answers_as_he_likes(
        [Values] RedisSessionMode mode, [Values("writes on", "redirects", "sets a status")] string way)
    {
        using var browser = Apps[mode].NewBrowser();
        await Stack.MakeUnwritableAsync(await browser.SetStringAsync());
        using var response = await browser.SendAsync(async context =>
        {
            context.Session.SetString("key", "2");
            try
            {
                await context.Response.WriteAsync(Success);
            }
            catch (RedisException)
            {
                if (way == "writes on") await context.Response.WriteAsync("sorry");
                else if (way == "redirects") context.Response.StatusCode = StatusCodes.Status302Found; // to nowhere, for the client's sake
                else context.Response.StatusCode = StatusCodes.Status409Conflict;
            }
        });
        Assert.That(
            ((int)response.StatusCode, await response.Content.ReadAsStringAsync()),
            Is.EqualTo(way == "writes on" ? (200, "sorry") : way == "redirects" ? (302, "") : (409, "")));
    }

    /// <summary>A middleware further out reads what it has made the others write into memory.</summary>
    [Test]
    public async Task A_body_in_memory_can_be_read_and_taken_back([Values] RedisSessionMode mode, [Values] bool usesSession, [Values] bool fails)
    {
        string seen = "";
        await using var app = await Stack.StartAsync(options => (options.Mode, options.FailureMode) = (mode, FailureMode.Throw), use: outer =>
        {
            outer.Use(async (context, next) =>
            {
                var body = context.Response.Body;
                context.Response.Body = new MemoryStream();
                await next(context);
                context.Response.Body.Seek(0, SeekOrigin.Begin);
                seen = await new StreamReader(context.Response.Body).ReadToEndAsync();
                context.Response.Body = body;
                await context.Response.WriteAsync(seen);
            });
            Use(outer);
        });
        using var browser = app.NewBrowser();
        var (_, page) = await browser.PageAsync("/", async context =>
        {
            if (usesSession) context.Session.SetString("key", "2");
            await context.Response.WriteAsync("half a page");
            if (fails) throw new TimeZoneNotFoundException("Odd.");
        });
        Assert.That((seen, page), Is.EqualTo(fails
            ? ("failed: TimeZoneNotFoundException", "failed: TimeZoneNotFoundException")
            : ("half a page", "half a page")));
    }

    private static void Advance(HttpResponse response) =>
        response.BodyWriter.Advance(Encoding.UTF8.GetBytes(Success, response.BodyWriter.GetSpan(Success.Length)));
}
