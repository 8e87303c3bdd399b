using Microsoft.AspNetCore.DataProtection;

namespace RedisSession.Provider.Benchmarks;

/// <summary>
/// The session key of a request from its cookie, with and without the cache, on one and several threads at once: how long one takes.
/// </summary>
public class CookieBenchmarks
{
    private const int Reads = 1_000; // of each thread

    private SessionCookie _cookie = null!;
    private DefaultHttpContext[] _requests = null!;
    private ServiceProvider _services = null!;

    [Params(1, 2)]
    public int Threads { get; set; }

    [Params(0, 16_384)]
    public int CookieCacheSize { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _services = new ServiceCollection()
            .AddLogging()
            .AddRedisHashSession(options => (options.Configuration, options.CookieCacheSize) = ("localhost", CookieCacheSize)) // not asked
            .AddSingleton<IDataProtectionProvider>(new EphemeralDataProtectionProvider())
            .BuildServiceProvider();
        _cookie = _services.GetRequiredService<SessionCookie>();
        _requests = [.. Enumerable.Range(0, Threads).Select(_ => RequestWithCookie())];
    }

    [GlobalCleanup]
    public void Cleanup() => _services.Dispose();

    [Benchmark(OperationsPerInvoke = Reads)]
    public void KeyOfCookie()
    {
        var others = Array.ConvertAll(_requests[1..], context => new Thread(() => Read(context.Request)));
        foreach (var thread in others) thread.Start();
        Read(_requests[0].Request);
        foreach (var thread in others) thread.Join();
    }

    private void Read(HttpRequest request)
    {
        for (int i = 0; i < Reads; i++) _ = _cookie.KeyIn(request) ?? throw new InvalidOperationException("The cookie has no key.");
    }

    private DefaultHttpContext RequestWithCookie()
    {
        var answer = new DefaultHttpContext();
        _cookie.Set(answer, SessionCookie.NewSessionKey());
        var request = new DefaultHttpContext();
        request.Request.Headers.Cookie = answer.Response.Headers.SetCookie.ToString().Split(';')[0];
        return request;
    }
}
