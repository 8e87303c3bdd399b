using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider.Tests;

/// <summary>A value that goes into a session and comes out again, with the text that is stored in between.</summary>
internal abstract record RoundTrip
{
    public abstract void Check(ISession session);

    public static RoundTrip Of<T>(T value, string stored, T fallback)
        where T : ISpanParsable<T> => new Typed<T>(value, stored, fallback);

    private sealed record Typed<T>(T Value, string Stored, T Fallback) : RoundTrip
        where T : ISpanParsable<T>
    {
        public override void Check(ISession session)
        {
            Assert.That(Value, Is.Not.EqualTo(Fallback), "The fallback would hide a failure to read.");

            session.SetValue("key", Value);
            Assert.That(Encoding.UTF8.GetString(session.Get("key")!), Is.EqualTo(Stored));

            var read = session.GetValue("key", Fallback);
            Assert.That(read, Is.EqualTo(Value));

            // Equality does not see a time's kind and offset, a decimal's scale or a zero's sign; the stored text does.
            session.SetValue("again", read);
            Assert.That(session.Get("again"), Is.EqualTo(session.Get("key")));
        }

        // Escaped: with a NUL in its name, a test is silently left out wherever "dotnet test" is given a filter.
        public override string ToString() => $"{typeof(T).Name} {JsonEncodedText.Encode(Stored)}";
    }
}
