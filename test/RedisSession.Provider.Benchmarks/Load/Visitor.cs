using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace RedisSession.Provider.Benchmarks;

/// <summary>Somebody with a session and an open connection, who sends the same request again and again.</summary>
internal sealed class Visitor : IDisposable
{
    private readonly HttpConnection _connection;
    private readonly byte[] _request;
    private readonly byte[] _expected;

    private Visitor(HttpConnection connection, string cookie, int reads)
    {
        _connection = connection;
        _request = Request(BenchmarkServer.ReadPath, $"Cookie: {cookie}\r\n");
        _expected = Encoding.ASCII.GetBytes(reads.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>A new visitor, whose session is in Redis.</summary>
    public static async Task<Visitor> ArriveAsync(IPEndPoint server, int reads, CancellationToken cancellationToken)
    {
        var connection = new HttpConnection(server);
        try
        {
            var answer = await connection.SendAsync(Request(BenchmarkServer.ArrivePath), cancellationToken);
            string cookie = answer.NewCookie()
                ?? throw new BenchmarkException($"No session for a new visitor, but status {answer.Status}.");
            return new(connection, cookie, reads);
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
