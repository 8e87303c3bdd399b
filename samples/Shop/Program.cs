using RedisSession.Provider;
using Shop;

// dotnet run --project samples/Shop                                        a Redis-compatible server inside this process
// dotnet run --project samples/Shop -- --session-redis redis://host:6379   yours, shared by as many instances as you start
var builder = WebApplication.CreateBuilder(args);

// The sessions, configured by SESSION_REDIS, SESSION_EXPIRE, SESSION_COOKIE_ID, … in the environment or --session-redis, … as arguments.
builder.Services.AddRedisHashSession(builder.Configuration);

// If none of them names a Redis server, start an embedded one.
using var embedded = new EmbeddedRedis();
builder.Services.PostConfigure<RedisHashSessionOptions>(options => options.Configuration ??= embedded.Start());

builder.Services.AddSharedDataProtectionKeys();
builder.Services.AddSingleton<StoredSessions>();
builder.Services.AddSingleton<VisitorSessions>();
builder.Services.AddRazorPages();
builder.Services.AddRedisSessionsDashboard();

var app = builder.Build();
app.Lifetime.ApplicationStarted.Register(() =>
{
    if (embedded.Address is { } address) app.Logger.EmbeddedRedisStarted(address);
});

app.UseStaticFiles(); // before the session: the style sheet does not need one
app.UseRedisHashSession();
app.MapRazorPages();
app.MapCartApi();
app.MapRedisSessions("/sessions"); // no policy: open only to this machine, and only in Development
app.Run();
