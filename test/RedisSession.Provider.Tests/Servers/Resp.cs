using System.Net.Sockets;

namespace RedisSession.Provider.Tests;

/// <summary>
/// Asks one server on loopback one thing, on a connection of its own: what a full client does besides (following redirections, choosing
/// the server by itself, reconnecting) would be in the way of whoever builds a cluster or looks into one that is half dead.
/// </summary>
internal static class Resp
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <exception cref="RespErrorException">The server answered with an error.</exception>
    /// <exception cref="IOException">The server is not there, or did not answer in time.</exception>
    public static async Task<RespReply> AskAsync(int port, params string[] command)
    {
        using var cancellation = new CancellationTokenSource(Timeout);
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port, cancellation.Token);
            var stream = client.GetStream();
            await stream.WriteAsync(Encode(command), cancellation.Token);
            using var reader = new StreamReader(stream, Encoding.Latin1); // a character a byte: lengths count bytes
            return await ReadAsync(reader, cancellation.Token);
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException)
        {
            throw new IOException($"No answer to {command[0]} on port {port}.", error);
        }
    }

    private static byte[] Encode(string[] command)
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"*{command.Length}\r\n");
        foreach (string word in command) text.Append(CultureInfo.InvariantCulture, $"${word.Length}\r\n{word}\r\n");
        return Encoding.Latin1.GetBytes(text.ToString());
    }

    private static async Task<RespReply> ReadAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        string line = await reader.ReadLineAsync(cancellationToken) ?? throw new IOException("The server closed the connection.");
        string rest = line[1..];
        switch (line[0])
        {
            case '+' or ':':
                return new(rest);
            case '-':
                throw new RespErrorException(rest);
            case '$' when rest == "-1":
                return new(null);
            case '$':
                var text = new char[int.Parse(rest, CultureInfo.InvariantCulture) + 2];
                if (await reader.ReadBlockAsync(text, cancellationToken) < text.Length) throw new IOException("The answer ended early.");
                return new(new string(text, 0, text.Length - 2));
            case '*':
                var items = new RespReply[int.Parse(rest, CultureInfo.InvariantCulture)];
                for (int i = 0; i < items.Length; i++) items[i] = await ReadAsync(reader, cancellationToken);
                return new(null, items);
            default:
                throw new IOException($"This is no RESP: {line}");
        }
    }
}

/// <summary>An answer: text (numbers too), or items.</summary>
internal sealed record RespReply(string? Text, IReadOnlyList<RespReply>? Items = null)
{
    public RespReply this[int index] => Items![index];

    public int Number => int.Parse(Text!, CultureInfo.InvariantCulture);

    /// <summary>The value of a line such as <c>name:value</c> in the answer of INFO and its like; null where there is none.</summary>
    public string? Line(string name) => Text!.Split("\r\n")
        .Where(line => line.StartsWith(name + ":", StringComparison.Ordinal))
        .Select(line => line[(name.Length + 1)..])
        .FirstOrDefault();
}

internal sealed class RespErrorException(string message) : Exception(message);
