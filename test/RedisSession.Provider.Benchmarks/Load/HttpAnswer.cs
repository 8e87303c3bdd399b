using System.Buffers.Text;

namespace RedisSession.Provider.Benchmarks;

/// <summary>An answer with a Content-Length, which is all that the servers here give.</summary>
internal readonly record struct HttpAnswer(int Status, ReadOnlyMemory<byte> Head, ReadOnlyMemory<byte> Body)
{
    private static readonly int StatusAt = "HTTP/1.1 ".Length;

    /// <summary>False where it has not arrived as a whole yet.</summary>
    /// <exception cref="InvalidDataException">It is something else.</exception>
    public static bool TryParse(ReadOnlyMemory<byte> received, out HttpAnswer answer)
    {
        answer = default;
        int end = received.Span.IndexOf("\r\n\r\n"u8);
        if (end < 0) return false;

        var head = received[..(end + 2)];
        if (!Utf8Parser.TryParse(Header(head.Span, "\r\nContent-Length: "u8), out int length, out _)
            || !Utf8Parser.TryParse(head.Span[StatusAt..], out int status, out _))
        {
            throw new InvalidDataException($"An answer without a length:\n{Encoding.ASCII.GetString(head.Span)}");
        }

        var body = received[(end + 4)..];
        answer = new(status, head, body);
        return body.Length >= length;
    }

    /// <summary>The session cookie that it sets, as the next request sends it.</summary>
    public string? NewCookie()
    {
        var header = Header(Head.Span, "\r\nSet-Cookie: "u8);
        return header.IsEmpty ? null : Encoding.ASCII.GetString(header[..header.IndexOf((byte)';')]);
    }

    private static ReadOnlySpan<byte> Header(ReadOnlySpan<byte> head, ReadOnlySpan<byte> name)
    {
        int at = head.IndexOf(name);
        return at < 0 ? [] : head[(at + name.Length)..];
    }
}
