using Microsoft.Extensions.Caching.Distributed;
using RedisSession.Provider;

var builder = WebApplication.CreateSlimBuilder(args);
builder.Services.ConfigureHttpJsonOptions(options => options.SerializerOptions.TypeInfoResolverChain.Insert(0, AppJson.Default));
builder.Services.AddRedisHashSession(builder.Configuration);
builder.Services.AddRedisHashCache();
builder.Services.AddHealthChecks().AddRedisHashSession();

var app = builder.Build();
app.MapHealthChecks("/health");
app.UseRedisHashSession();

app.MapPost("/visits", async (HttpContext context) => $"{await context.Session.IncrementAsync("visits")}");
app.MapPost("/name/{name}", (string name, HttpContext context) => context.Session.SetValue("name", name));
app.MapGet("/name", (HttpContext context) => context.Session.GetStr("name"));

// Every method that takes a JsonTypeInfo. The return types are written out because the generator that makes the routes does not see
// AppJson, which another one makes.
var type = AppJson.Default.Cart;
app.MapPut("/cart/sync", void (Cart cart, HttpContext context) => context.Session.SetJson("cart", cart, type));
app.MapPut("/cart/async", Task (Cart cart, HttpContext context) => context.Session.SetJsonAsync("cart", cart, type));
app.MapPost("/cart/{product}", Task<Cart> (string product, HttpContext context) =>
    context.Session.UpdateJsonAsync("cart", cart => (cart ?? new Cart()).With(product), type));
app.MapGet("/cart/get", Cart (HttpContext context) => context.Session.GetJson("cart", type));
app.MapGet("/cart/get-or", Cart? (HttpContext context) => context.Session.GetJsonOr("cart", null, type!));
app.MapGet("/cart/get-async", async Task<Cart> (HttpContext context) => await context.Session.GetJsonAsync("cart", type));
app.MapGet("/cart/get-or-async", async Task<Cart?> (HttpContext context) => await context.Session.GetJsonOrAsync("cart", null, type!));
app.MapGet("/cart/read", Cart (HttpContext context) => context.Session.Read("cart").Json(type));
app.MapGet("/cart/read-or", Cart? (HttpContext context) => context.Session.Read("cart").JsonOr(null, type!));

app.MapPost("/sign-in/{user}", (string user, HttpContext context) => context.RenewSessionAsync(user));
app.MapPost("/sign-out", (HttpContext context) => context.AbandonSessionAsync());
app.MapGet("/sessions/{user}", async (string user, IRedisSessionDirectory sessions) =>
{
    var found = new List<string>();
    await foreach (var session in sessions.FindByUserAsync(user)) found.Add((await session.GetValuesAsync())["name"].Str);
    return string.Join(' ', found);
});

app.MapPost("/cached/{text}", async (string text, IDistributedCache cache) =>
{
    await cache.SetStringAsync(text, text, new DistributedCacheEntryOptions { SlidingExpiration = TimeSpan.FromMinutes(1) });
    return await cache.GetStringAsync(text);
});

app.Run();
