using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider.Tests;

/// <summary>
/// A visitor who writes a counter again and again, each time together with a key for that one write, and keeps books of what was tried and
/// what the application confirmed by its response. So whatever a failover has taken shows in the session afterwards.
/// </summary>
internal sealed class WritingVisitor(TestApp app, string name) : IDisposable
{
    private const string Owner = "owner";
    private const string Counter = "counter";
    private const string Write = "write-";

    private readonly Browser _browser = app.NewBrowser();
    private readonly List<ConfirmedWrite> _confirmed = [];
    private readonly ConcurrentQueue<string> _oddities = [];
    private int _tried;

    public string Name => name;

    /// <summary>Known after <see cref="EnterAsync"/>.</summary>
    public string SessionKey { get; private set; } = "";

    public IReadOnlyList<ConfirmedWrite> Confirmed
    {
        get
        {
            lock (_confirmed) return [.. _confirmed];
        }
    }

    /// <summary>What was read that no session may ever show, whatever happens to the servers.</summary>
    public IReadOnlyCollection<string> Oddities => _oddities;

    /// <summary>Begins the session.</summary>
    public async Task EnterAsync() => SessionKey = "sessions:" + await _browser.BeginAsync(Owner, name);

    /// <summary>Writes until told to stop. What fails is not repeated: the next write is another one.</summary>
    public async Task WriteAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            int number = ++_tried;
            var begun = DateTime.UtcNow;
            using var response = await _browser.SendAsync(context => WriteAsync(context.Session, number));
            if (response.StatusCode == HttpStatusCode.OK)
            {
                lock (_confirmed) _confirmed.Add(new(number, begun));
            }
            else
            {
                await Task.Delay(5, CancellationToken.None); // failures are quick: leave the machine to the servers
            }
        }
    }

    /// <summary>Confirmed writes that the session does not have.</summary>
    public async Task<IReadOnlyList<ConfirmedWrite>> FindLostAsync()
    {
        var (owner, counter, keys) = await _browser.VisitAsync(session =>
            (session.GetStr(Owner), session.GetStr(Counter), session.Keys.ToHashSet()));
        Check(owner, counter);
        if (NumberOf(counter) is { } last && IsOneChange(last) && !keys.Contains(Write + last))
        {
            _oddities.Enqueue($"{name} has the counter {counter} without what was written with it.");
        }

        var neverWritten = keys.Where(key => key.StartsWith(Write, StringComparison.Ordinal) && Number(key[Write.Length..]) > _tried);
        foreach (string key in neverWritten) _oddities.Enqueue($"{name} has {key} and never wrote it.");

        return [.. Confirmed.Where(write => !keys.Contains(Write + write.Number))];
    }

    public void Dispose() => _browser.Dispose();

    // By turns through the asynchronous API and the synchronous one, which in live mode makes two changes of it.
    private static bool IsOneChange(int number) => number % 2 == 0;

    private async Task WriteAsync(ISession session, int number)
    {
        var seen = await session.ReadAsync([Owner, Counter]);
        Check(seen[Owner].Str, seen[Counter].Str);

        string counter = $"{name}:{number}";
        if (IsOneChange(number))
        {
            await session.SetAsync(new Dictionary<string, byte[]> { [Write + number] = [], [Counter] = Encoding.UTF8.GetBytes(counter) });
        }
        else
        {
            session.Set(Write + number, []);
            session.SetString(Counter, counter);
        }
    }

    private void Check(string owner, string counter)
    {
        if (owner != name) _oddities.Enqueue($"{name} reads the session of '{owner}'.");
        bool wasWritten = counter.Length == 0 || NumberOf(counter) is { } number && number >= 1 && number <= _tried;
        if (!wasWritten) _oddities.Enqueue($"{name} reads the counter '{counter}' and has tried {_tried}.");
    }

    /// <summary>Null for what this visitor did not write.</summary>
    private int? NumberOf(string counter) =>
        counter.StartsWith(name + ":", StringComparison.Ordinal) ? Number(counter[(name.Length + 1)..]) : null;

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}

/// <summary>A write whose request was answered with success.</summary>
internal sealed record ConfirmedWrite(int Number, DateTime Begun);
