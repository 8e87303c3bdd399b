using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace RedisSession.Provider.Benchmarks;

/// <summary>Somebody with a session and an open connection, who sends the same request again and again.</summary>
internal sealed class Visitor : IDisposable
{
    private static readonly byte[] NothingRequest = Request(BenchmarkServer.NothingPath);

    private readonly HttpConnection _connection;
    private readonly byte[] _request;
    private readonly byte[] _expected;

    private readonly byte[] _leave;

    private Visitor(HttpConnection connection, string cookie, Workload workload)
    {
        string headers = $"Cookie: {cookie}\r\n";
        _connection = connection;
        _request = Request($"/{workload.Name}{workload.Shape.Query}", workload.HasCookie ? headers : "");
        _leave = Request(BenchmarkServer.LeavePath + workload.Shape.Query, headers);
        _expected = Encoding.ASCII.GetBytes(workload.Expected.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>A new visitor, whose session is in Redis.</summary>
    public static async Task<Visitor> ArriveAsync(IPEndPoint server, Workload workload, CancellationToken cancellationToken)
    {
        var connection = new HttpConnection(server);
        try
        {
            var answer = await connection.SendAsync(Request(BenchmarkServer.ArrivePath + workload.Shape.Query), cancellationToken);
            string cookie = answer.NewCookie()
                ?? throw new BenchmarkException($"No session for a new visitor, but status {answer.Status}.");
            return new(connection, cookie, workload);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>One request. Whatever becomes of it is an outcome; <paramref name="patience"/> ends the wait for it.</summary>
    public async Task<Visit> VisitAsync(Stopwatch clock, CancellationToken patience)
    {
        var start = clock.Elapsed;
        var outcome = await RequestAsync(patience);
        return new(outcome, start, clock.Elapsed);
    }

    /// <summary>How long the answer to a request takes that has no session, once the server is done with the one before.</summary>
    public async Task<TimeSpan> AskNothingAsync(Stopwatch clock, CancellationToken cancellationToken)
    {
        var start = clock.Elapsed;
        await _connection.SendAsync(NothingRequest, cancellationToken);
        return clock.Elapsed - start;
    }

    /// <summary>Empties the session.</summary>
    public async Task LeaveAsync(CancellationToken cancellationToken) => await _connection.SendAsync(_leave, cancellationToken);

    public void Dispose() => _connection.Dispose();

    private async ValueTask<Outcome> RequestAsync(CancellationToken patience)
    {
        try
        {
            var answer = await _connection.SendAsync(_request, patience);
            if (answer.Status != (int)HttpStatusCode.OK) return Outcome.Error;
            return answer.Body.Span.SequenceEqual(_expected) ? Outcome.Answered : Outcome.NothingFound;
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or InvalidDataException)
        {
            return Outcome.NoAnswer;
        }
    }

    private static byte[] Request(string path, string headers = "") =>
        Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
}
