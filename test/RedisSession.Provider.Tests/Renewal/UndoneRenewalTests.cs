using Microsoft.AspNetCore.Http.Features;

namespace RedisSession.Provider.Tests;

/// <summary>A request that renews the key and does not get its response out leaves the old session whole, and no other.</summary>
[TestFixtureSource(nameof(Ways))]
[Parallelizable(ParallelScope.All)] // most of it waits
internal sealed class UndoneRenewalTests(ServerKind kind, bool inPortions) : RenewalFixture(kind, inPortions)
{
    private readonly ServerKind _kind = kind;
    private readonly bool _inPortions = inPortions;

    [Test]
    public Task An_exception_that_nobody_handles([Values] RedisSessionMode mode) => CheckAsync(mode, async context =>
    {
        await context.RenewSessionAsync("ann");
        context.Session.SetString("cart", "new");
        throw new TimeZoneNotFoundException("Odd.");
    });

    [Test]
    public async Task An_exception_while_the_request_holds_the_lock_leaves_the_old_session_unlocked([Values] RedisSessionMode mode)
    {
        await using var app = await StartAsync(new OurStack(_kind), mode);
        using var browser = await NewVisitorAsync(app);
        using var response = await browser.SendAsync(async context =>
        {
            _ = await context.Session.LockAsync();
            await context.RenewSessionAsync("ann");
            throw new TimeZoneNotFoundException("Odd.");
        });
        await browser.VisitAsync(async context =>
        {
            await using var held = await context.Session.TryLockAsync(TimeSpan.FromSeconds(6)); // less than a lease
            Assert.That(held, Is.Not.Null);
        });
        await AssertWholeAsync(browser);
    }

    [Test]
    public Task A_visitor_who_is_gone([Values] RedisSessionMode mode) => CheckAsync(mode, async context =>
    {
        await context.RenewSessionAsync("ann");
        await context.Session.SetAsync("cart", [1]);
        context.Abort();
        await UntilNoticedAsync(context);
    });

    [Test]
    public Task A_visitor_who_goes_and_whose_token_cancels_a_write([Values] RedisSessionMode mode) => CheckAsync(mode, async context =>
    {
        await context.RenewSessionAsync("ann", context.RequestAborted);
        context.Abort();
        await UntilNoticedAsync(context);
        await context.Session.SetAsync("cart", [1], context.RequestAborted);
    });

    [Test]
    public Task A_later_write_that_fails([Values] RedisSessionMode mode, [Values] bool throws) => CheckAsync(
        mode,
        async context =>
        {
            await context.RenewSessionAsync("ann");
            await BreakAsync(context.Session.Id);
            context.Session.SetString("cart", "new");
        },
        Failing(throws),
        leavesBroken: true);

    /// <summary>Redis could end the old session all the same, because that takes no more memory.</summary>
    [Test]
    public async Task A_later_write_for_which_there_is_no_memory([Values] RedisSessionMode mode, [Values] bool throws)
    {
        if (!_kind.IsProcess) return; // its memory is not ours alone
        await using var server = await ServerProcess.StartAsync(_kind);
        await using var app = await StartAsync(Stack, mode, Failing(throws), server.ConfigurationString);
        await using var admin = await ConnectionMultiplexer.ConnectAsync(server.ConfigurationString + ",allowAdmin=true");
        var settings = admin.GetServers()[0];
        using var browser = await NewVisitorAsync(app);
        using var response = await browser.SendAsync(async context =>
        {
            await context.RenewSessionAsync("ann");
            await settings.ConfigSetAsync("maxmemory", "1");
            context.Session.SetString("signed in", "1");
        });
        AssertNoCookie(response, status: throws ? 500 : 200);
        await settings.ConfigSetAsync("maxmemory", "0");
        await AssertWholeAsync(browser);
    }

    [Test]
    public Task A_cookie_that_is_held_back([Values] RedisSessionMode mode, [Values] bool throws) => CheckAsync(
        mode,
        context =>
        {
            context.Items["renews"] = true;
            return context.RenewSessionAsync("ann");
        },
        Failing(throws),
        app => app.UseCookiePolicy(new() { OnAppendCookie = it => it.IssueCookie = !it.Context.Items.ContainsKey("renews") }).UseSession(),
        status: throws ? 500 : 200,
        log: SessionEvents.RenewedCookieHeldBack);

    /// <summary>Too late to be noticed before the response: the old cookie leads to the session again, when its lease is over.</summary>
    [Test]
    public async Task A_cookie_that_is_removed_after_the_session_has_set_it([Values] RedisSessionMode mode)
    {
        var stack = new OurStack(_kind);
        await using var app = await StartAsync(stack, mode, use: pipeline => pipeline.Use((context, next) =>
        {
            context.Response.OnStarting(() =>
            {
                if (context.Items.ContainsKey("renews")) context.Response.Headers.Remove("Set-Cookie");
                return Task.CompletedTask;
            });
            return next(context);
        }).UseSession());
        using var browser = await NewVisitorAsync(app);
        using var response = await browser.SendAsync(context =>
        {
            context.Items["renews"] = true;
            return context.RenewSessionAsync("ann");
        });
        AssertNoCookie(response);
        Assert.That(app.Logs.Of(SessionEvents.RenewedCookieHeldBack), Has.Count.EqualTo(1));
        await AssertWholeAsync(browser);
    }

    [Test]
    public async Task The_old_session_ends_while_its_key_is_renewed([Values] RedisSessionMode mode, [Values] bool throws)
    {
        var stack = new OurStack(_kind);
        await using var app = await StartAsync(stack, mode, Failing(throws));
        using var browser = await NewVisitorAsync(app);
        using var response = await browser.SendAsync(async context =>
        {
            await context.RenewSessionAsync("ann");
            Assert.That(await app.Directory.EndAsync(browser.SessionId), Is.True);
        });
        AssertNoCookie(response, status: throws ? 500 : 200);
        await UntilOnlyAsync(stack);
        await NobodyIsListedAsync(stack, "ann");
    }

    [Test]
    public async Task The_new_session_ends_while_the_key_is_renewed([Values] RedisSessionMode mode)
    {
        var stack = new OurStack(_kind);
        await using var app = await StartAsync(stack, mode);
        using var browser = await NewVisitorAsync(app);
        using var response = await browser.SendAsync(async context =>
        {
            await context.RenewSessionAsync("ann");
            Assert.That(await app.Directory.EndAllForUserAsync("ann"), Is.EqualTo(1), "sign out everywhere finds it");
        });
        AssertNoCookie(response);
        await AssertWholeAsync(browser);
        await UntilOnlyAsync(stack, browser.SessionId);
    }

    [Test]
    public async Task Where_the_visitor_has_not_consented_it_is_refused_before_anything_is_changed()
    {
        var stack = new OurStack(_kind);
        await using var app = await StartAsync(
            stack, RedisSessionMode.Buffered, options => options.Cookie.IsEssential = false,
            use: pipeline => pipeline.UseCookiePolicy(new() { CheckConsentNeeded = _ => true }).UseSession());
        using var browser = app.NewBrowser();
        string id = await browser.VisitAsync(async context =>
        {
            context.Features.Get<ITrackingConsentFeature>()!.GrantConsent();
            await context.Session.SetAsync("cart", [1]);
            return context.Session.Id;
        });
        await browser.VisitAsync(async context =>
        {
            context.Features.Get<ITrackingConsentFeature>()!.WithdrawConsent();
            Assert.That(() => context.RenewSessionAsync("ann"), Throws.InvalidOperationException.With.Message.Contains("consent"));
            Assert.That(context.Session.Id, Is.EqualTo(id));
            await NobodyIsListedAsync(stack, "ann");
        });
        await UntilOnlyAsync(stack, id);
    }

    [Test]
    public async Task The_response_starts_while_the_key_is_renewed([Values] RedisSessionMode mode)
    {
        var stack = new OurStack(_kind);
        await using var far = new FarServer((await stack.ServerAsync()).ConfigurationString, TimeSpan.FromMilliseconds(5));
        await using var app = await StartAsync(stack, mode, address: far.ConfigurationString);
        for (int i = 0; i < Tries.Of(10); i++)
        {
            using var browser = await NewVisitorAsync(app);
            await browser.VisitAsync(async context =>
            {
                var renewing = context.RenewSessionAsync("ann");
                await Task.Delay(i % 10 * 2);
                await context.Response.WriteAsync("early");
                await renewing;
                Assert.That(await context.Session.GetStrAsync("cart"), Is.EqualTo("full"));
                await context.Session.SetAsync("after", "1"u8.ToArray());
            });
            await AssertWholeAsync(browser, $"try {i}");
            Assert.That(await browser.GetStringAsync("after"), Is.EqualTo("1"), "what was confirmed is there");
        }
    }

    /// <summary>Cancelled before the first, second, … reply, however far Redis has come with what was sent.</summary>
    [Category(FullRun.Only)]
    [Test]
    public async Task The_caller_cancels_at_any_moment([Values] RedisSessionMode mode, [Values] bool forgetsScripts)
    {
        if (forgetsScripts && !_kind.IsProcess) return; // it is not ours alone
        await using var server = _kind.IsProcess ? await ServerProcess.StartAsync(_kind) : null;
        var stack = new OurStack(_kind);
        string address = server?.ConfigurationString ?? (await stack.ServerAsync()).ConfigurationString;
        await using var relay = new Relay(address, back: TimeSpan.FromMilliseconds(10));
        await using var app = await StartAsync(stack, mode, address: relay.Address);
        await using var admin = await ConnectionMultiplexer.ConnectAsync(address + ",allowAdmin=true");
        int cancelled = 0, renewed = 0;
        for (int i = 0; i < Tries.Of(16); i++)
        {
            using var browser = await NewVisitorAsync(app);
            string id = browser.SessionId;
            if (forgetsScripts) await admin.GetServers()[0].ScriptFlushAsync();
            await browser.VisitAsync(async context =>
            {
                using var cancellation = new CancellationTokenSource();
                if (i % 16 == 0) await cancellation.CancelAsync();
                else cancellation.CancelAfter(i % 16 * 8);
                bool isDone = await Attempt.IsDoneAsync<OperationCanceledException>(() => context.RenewSessionAsync("ann", cancellation.Token));
                (renewed, cancelled) = isDone ? (renewed + 1, cancelled) : (renewed, cancelled + 1);
                if (isDone) return;
                Assert.That(context.Session.Id, Is.EqualTo(id));
                Assert.That(await context.Session.GetStrAsync("cart"), Is.EqualTo("full"));
            });
            await AssertWholeAsync(browser, $"try {i}");
            await UntilOnlyAsync(admin, stack.KeyPrefix, browser.SessionId);
            await browser.VisitAsync(context => context.AbandonSessionAsync());
        }

        Assert.That(cancelled, Is.Positive);
        Assert.That(renewed, Is.Positive);
    }

    /// <summary>The visitor closes the connection at some moment, and comes back with the cookie that he has.</summary>
    [Category(FullRun.Only)]
    [Test]
    public async Task The_visitor_goes_at_any_moment([Values] RedisSessionMode mode)
    {
        var stack = new OurStack(_kind);
        await using var far = new FarServer((await stack.ServerAsync()).ConfigurationString, TimeSpan.FromMilliseconds(3));
        await using var app = await StartAsync(stack, mode, address: far.ConfigurationString);
        int gone = 0;
        var visitors = new List<Browser>();
        for (int i = 0; i < Tries.Of(12); i++)
        {
            var browser = await NewVisitorAsync(app);
            visitors.Add(browser);
            using var cancellation = new CancellationTokenSource(TimeSpan.FromMilliseconds(1 + (i % 12)));
            bool isAnswered = await Attempt.IsDoneAsync(
                () => browser.VisitAsync(SignInAsync, cancellation.Token), error => error is OperationCanceledException or InvalidOperationException);
            if (!isAnswered) gone++;
        }

        // Together, because whoever comes before the lease is over waits for its end.
        await Task.WhenAll(visitors.Select((visitor, i) => AssertWholeAsync(visitor, $"try {i}")));
        visitors.ForEach(visitor => visitor.Dispose());
        Assert.That(gone, Is.Positive);

        static async Task SignInAsync(HttpContext context)
        {
            await context.RenewSessionAsync("ann", context.RequestAborted);
            await context.Session.SetAsync("signed in", [1], context.RequestAborted);
            await context.Response.WriteAsync("welcome");
        }
    }

    /// <summary>The connection to Redis breaks at some moment.</summary>
    [Category(FullRun.Only)]
    [Test]
    public async Task The_connection_breaks_at_any_moment([Values] RedisSessionMode mode, [Values] bool throws)
    {
        var stack = new OurStack(_kind);
        await using var relay = new Relay((await stack.ServerAsync()).ConfigurationString);
        Action<RedisHashSessionOptions> notAgain = options => options.OutageTolerance = TimeSpan.Zero; // else nothing fails
        await using var app = await StartAsync(stack, mode, Failing(throws) + notAgain, relay.Address);
        int failed = 0;
        for (int i = 0; i < Tries.Of(20); i++)
        {
            await UntilConnectedAsync(app);
            using var browser = await NewVisitorAsync(app);
            relay.CutAfter(i % 20 * 15);
            using var response = await browser.SendAsync(async context =>
            {
                await context.RenewSessionAsync("ann");
                context.Session.SetString("signed in", "1");
            });
            if (!response.IsSuccessStatusCode) failed++;
            relay.CutAfter(long.MaxValue);
            await UntilConnectedAsync(app);
            await AssertWholeAsync(browser, $"try {i}");
        }

        Assert.That(failed, Is.Positive);
    }

    [Test]
    public async Task It_is_told_to_nobody()
    {
        var events = new RecordedEvents();
        await using var app = await Stack.StartAsync(Configure, services => services.AddSingleton<ISessionLifecycle>(events));
        using var browser = await NewVisitorAsync(app);
        string id = browser.SessionId;
        using var response = await browser.SendAsync(async context =>
        {
            await context.RenewSessionAsync("ann");
            throw new TimeZoneNotFoundException("Odd.");
        });
        AssertNoCookie(response, status: 500);
        string newId = await browser.VisitAsync(async context =>
        {
            await context.RenewSessionAsync("bob");
            await Task.Yield();
            Assert.That(events.All, Has.None.InstanceOf<SessionRenewed>(), "the old one has not ended yet");
            return context.Session.Id;
        });
        await app.StopAsync();
        Assert.That(events.All, Is.EqualTo(new object[] { new SessionCreated(id, null), new SessionRenewed(newId, id, "bob") }));
    }

    private async Task CheckAsync(
        RedisSessionMode mode, Func<HttpContext, Task> work, Action<RedisHashSessionOptions>? configure = null,
        Action<IApplicationBuilder>? use = null, bool leavesBroken = false, int? status = null, int? log = null)
    {
        var stack = new OurStack(_kind);
        await using var app = await StartAsync(stack, mode, configure, use: use);
        using var browser = await NewVisitorAsync(app);
        string cookie = browser.SessionCookie!.Value;
        await Attempt.IsDoneAsync<HttpRequestException>(async () => // who is gone has no answer
        {
            using var response = await browser.SendAsync(work);
            AssertNoCookie(response, status);
        });
        Assert.That(browser.SessionCookie!.Value, Is.EqualTo(cookie));
        await AssertWholeAsync(browser);
        if (!leavesBroken) await UntilOnlyAsync(stack, browser.SessionId);
        if (!leavesBroken) await NobodyIsListedAsync(stack, "ann");
        if (log is { } number) Assert.That(app.Logs.Of(number), Is.Not.Empty);
        Assert.That(app.Logs.Of(SessionEvents.SessionRenewed), Is.Empty);
    }

    private async Task<TestApp> StartAsync(
        OurStack stack, RedisSessionMode mode, Action<RedisHashSessionOptions>? configure = null, string? address = null,
        Action<IApplicationBuilder>? use = null) => await TestApp.StartAsync(
            address ?? (await stack.ServerAsync()).ConfigurationString,
            options =>
            {
                (options.KeyPrefix, options.Mode, options.ProtectValues) = (stack.KeyPrefix, mode, _inPortions);
                configure?.Invoke(options);
            },
            use);

    private static void AssertNoCookie(HttpResponseMessage response, int? status = null)
    {
        string[] cookies = response.Headers.TryGetValues("Set-Cookie", out var set) ? [.. set] : [];
        Assert.That(cookies, Has.None.StartsWith(".AspNetCore.Session="));
        if (status is not null) Assert.That((int)response.StatusCode, Is.EqualTo(status));
    }

    private static Task UntilNoticedAsync(HttpContext context) =>
        Until.TrueAsync("the server notices", () => context.RequestAborted.IsCancellationRequested);

    private static Action<RedisHashSessionOptions> Failing(bool throws) =>
        options => options.FailureMode = throws ? FailureMode.Throw : FailureMode.LogAndContinue;

    private async Task BreakAsync(string newId)
    {
        // Another type under the new key: whatever is written there is refused.
        var redis = await Stack.DatabaseAsync();
        string? key = null;
        await foreach (var found in (await Stack.ServerAsync()).Admin.GetServers()[0].KeysAsync(pattern: $"*sessions:{newId}")) key = found;
        await redis.StringSetAsync(key, "no hash", TimeSpan.FromMinutes(1));
    }

    private static Task NobodyIsListedAsync(OurStack stack, string user) =>
        Until.TrueAsync("nobody is listed", async () => (await stack.UserListAsync(user)).Length == 0);

    private static async Task UntilConnectedAsync(TestApp app)
    {
        var redis = await app.RedisAsync();
        await Until.TrueAsync("connected", () => Attempt.IsDoneAsync(() => redis.PingAsync(), error => error is RedisException or TimeoutException));
    }
}
