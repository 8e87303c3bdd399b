using System.Reflection;
using System.Text.RegularExpressions;

namespace RedisSession.Provider.Tests;

/// <summary>
/// A piece of C# of a document that is run, as it stands: what it does with <c>builder</c> and <c>app</c> in an application of its own, all
/// else inside a request. The addresses in it become that of a server that there is.
/// </summary>
internal sealed partial class Example(MarkdownBlock block, IEnumerable<string> others, string server)
{
    private const string Probe = "/the-session-works";

    private readonly string _code = block.CodeOf('+');

    /// <summary>Runs it, sees that a session works in its application, and sends the requests.</summary>
    /// <param name="requests">A block of <c>http</c>, <c>GET /path → 200 answer</c> in each line; null: there is none.</param>
    public async Task RunAsync(MarkdownBlock? requests)
    {
        string code = Addresses().Replace(_code, address => address.Groups["secure"].Success ? $"redis://{server}" : server)
            .Replace("app.Run();", "Run(app);", StringComparison.Ordinal);
        var assembly = SnippetCompiler.Load(code, others);
        var around = assembly.GetType("Around", throwOnError: true)!;
        var builder = NewBuilder();
        if (assembly.GetType("ShopDb") is { } shop) builder.Services.AddSingleton(shop);
        Set("builder", builder);
        Set("options", new RedisHashSessionOptions());
        Set("Build", (Func<WebApplication>)(() => Build(builder)));

        bool isOfRequest = !OfApplication().IsMatch(_code);
        if (!isOfRequest) Run();
        await using var app = (WebApplication)around.GetProperty("app")!.GetValue(null)!;
        app.MapGet(Probe, async (HttpContext context) =>
        {
            await context.Session.SetValueAsync("works", 1);
            Set("context", context);
            if (isOfRequest) Run();
            return (await context.Session.GetIntAsync("works")).ToString(System.Globalization.CultureInfo.InvariantCulture);
        });
        app.Urls.Clear();
        app.Urls.Add("http://127.0.0.1:0");
        await app.StartAsync();
        using var visitor = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = new(app.Urls.First()) };
        Assert.That(await visitor.GetStringAsync(new Uri(Probe, UriKind.Relative)), Is.EqualTo("1"));
        foreach (string line in requests?.Content ?? []) await CheckAsync(visitor, line);

        void Set(string name, object value) => around.GetProperty(name)!.SetValue(null, value);

        void Run() => assembly.EntryPoint!.Invoke(
            null, BindingFlags.DoNotWrapExceptions, null, assembly.EntryPoint.GetParameters().Length > 0 ? [Array.Empty<string>()] : [], null);
    }

    /// <summary>With what the reader has by then, unless the piece says it.</summary>
    private WebApplicationBuilder NewBuilder()
    {
        var builder = WebApplication.CreateBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        builder.Logging.ClearProviders();
        builder.Configuration["SESSION_REDIS"] = $"redis://{server}";
        builder.Configuration["Session:Configuration"] = server;
        if (!_code.Contains("AddRedisHashSession(", StringComparison.Ordinal)) builder.Services.AddRedisHashSession(server);
        if (!_code.Contains("AddAuthentication(", StringComparison.Ordinal)) builder.Services.AddAuthentication("Cookies").AddCookie("Cookies");
        return builder;
    }

    private WebApplication Build(WebApplicationBuilder builder)
    {
        var app = builder.Build();
        if (!_code.Contains("UseRedisHashSession(", StringComparison.Ordinal)) app.UseRedisHashSession();
        return app;
    }

    private static async Task CheckAsync(HttpClient visitor, string line)
    {
        var expected = Request().Match(line);
        Assert.That(expected.Success, Is.True, $"'{line}' is no request and its answer");
        using var request = new HttpRequestMessage(new(expected.Groups["method"].Value), expected.Groups["path"].Value);
        using var response = await visitor.SendAsync(request);
        Assert.That(response.StatusCode, Is.EqualTo(Enum.Parse<HttpStatusCode>(expected.Groups["status"].Value)), line);
        if (expected.Groups["answer"] is { Success: true } answer)
            Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo(answer.Value), line);
    }

    [GeneratedRegex(@"(?<secure>rediss://[^""]*@)?(localhost|old-redis|[\w.]*example\.com):\d+")]
    private static partial Regex Addresses();

    [GeneratedRegex(@"\b(builder|app)\b")]
    private static partial Regex OfApplication();

    [GeneratedRegex(@"^(?<method>[A-Z]+) (?<path>/\S*) +→ (?<status>\d{3})( (?<answer>.+))?$")]
    private static partial Regex Request();
}
