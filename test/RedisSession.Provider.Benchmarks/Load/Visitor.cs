using System.Diagnostics;
using System.Net.Sockets;

namespace RedisSession.Provider.Benchmarks;

/// <summary>
/// Somebody with a session and an open connection, who sends the same request again and again. One that has several sessions takes them
/// in turn.
/// </summary>
internal sealed class Visitor : IDisposable
{
    private static readonly byte[] NothingRequest = Request(BenchmarkServer.NothingPath);

    private readonly HttpConnection _connection;
    private readonly SessionShape _shape;
    private readonly List<string> _cookies = [];
    private byte[][] _requests = [];
    private byte[] _expected = [];
    private int _next;

    private Visitor(HttpConnection connection, SessionShape shape) => (_connection, _shape) = (connection, shape);

    /// <summary>A new visitor, whose session is in Redis.</summary>
    public static async Task<Visitor> ArriveAsync(
        IPEndPoint server, Workload workload, CancellationToken cancellationToken, int sessions = 1)
    {
        var visitor = new Visitor(new HttpConnection(server), workload.Shape);
        try
        {
            for (int i = 0; i < sessions; i++) await visitor.AddSessionAsync(cancellationToken);
            visitor.Prepare(workload);
            return visitor;
        }
        catch
        {
            visitor.Dispose();
            throw;
        }
    }

    /// <summary>From now on that is what the requests are for.</summary>
    public void Prepare(Workload workload)
    {
        string path = workload.Path + workload.Shape.Query;
        _requests = [.. _cookies.Select(cookie => Request(path, workload.HasCookie ? cookie : null))];
        _expected = Encoding.ASCII.GetBytes(workload.Expected.ToString(CultureInfo.InvariantCulture));
        _next = 0;
    }

    /// <summary>One request. Whatever becomes of it is an outcome; <paramref name="patience"/> ends the wait for it.</summary>
    public async Task<Visit> VisitAsync(Stopwatch clock, CancellationToken patience)
    {
        var request = _requests[_next];
        _next = (_next + 1) % _requests.Length;
        var start = clock.Elapsed;
        var outcome = await RequestAsync(request, patience);
        return new(outcome, start, clock.Elapsed);
    }

    /// <summary>How long the answer to a request takes that has no session, once the server is done with the one before.</summary>
    public async Task<TimeSpan> AskNothingAsync(Stopwatch clock, CancellationToken cancellationToken)
    {
        var start = clock.Elapsed;
        await _connection.SendAsync(NothingRequest, cancellationToken);
        return clock.Elapsed - start;
    }

    /// <summary>Empties the sessions.</summary>
    public async Task LeaveAsync(CancellationToken cancellationToken)
    {
        string path = BenchmarkServer.LeavePath + _shape.Query;
        foreach (string cookie in _cookies) await _connection.SendAsync(Request(path, cookie), cancellationToken);
    }

    public void Dispose() => _connection.Dispose();

    private async Task AddSessionAsync(CancellationToken cancellationToken)
    {
        var answer = await _connection.SendAsync(Request(BenchmarkServer.ArrivePath + _shape.Query), cancellationToken);
        _cookies.Add(answer.NewCookie() ?? throw new BenchmarkException($"No session for a new visitor, but status {answer.Status}."));
    }

    private async ValueTask<Outcome> RequestAsync(byte[] request, CancellationToken patience)
    {
        try
        {
            var answer = await _connection.SendAsync(request, patience);
            if (answer.Status != (int)HttpStatusCode.OK) return Outcome.Error;
            return answer.Body.Span.SequenceEqual(_expected) ? Outcome.Answered : Outcome.NothingFound;
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or InvalidDataException)
        {
            return Outcome.NoAnswer;
        }
    }

    private static byte[] Request(string path, string? cookie = null)
    {
        string header = cookie is null ? "" : $"Cookie: {cookie}\r\n";
        return Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n");
    }
}
