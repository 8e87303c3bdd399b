using Shop;

// dotnet run --project samples/Shop                                        a Redis-compatible server inside this process
// dotnet run --project samples/Shop -- --session-redis redis://host:6379   yours, shared by as many instances as you start
var builder = WebApplication.CreateBuilder(args);

string? address = RedisAddress.Find(builder.Configuration);
using var embedded = address is null ? EmbeddedRedis.Start() : null;
if (embedded is not null) builder.Configuration[RedisAddress.Name] = embedded.Address;

// The sessions, as SESSION_REDIS, SESSION_EXPIRE, SESSION_COOKIE_ID, … in the environment or --session-redis, … on the command line say.
builder.Services.AddRedisHashSession(builder.Configuration);

builder.Services.AddShopRedis(address ?? embedded!.Address, shareDataProtectionKeys: embedded is null);
builder.Services.AddRazorPages();

var app = builder.Build();
if (embedded is not null) app.Logger.EmbeddedRedisStarted(embedded.Address);

app.UseStaticFiles(); // before the session: the style sheet needs none
app.UseRedisHashSession();
app.MapRazorPages();
app.MapCartApi();
app.Run();
