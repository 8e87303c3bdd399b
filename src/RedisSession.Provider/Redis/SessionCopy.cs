using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>All of a session's hash at one moment, as <see cref="MoveScripts.Copy"/> answers it.</summary>
/// <param name="Digest">Tells whether the hash is still the same.</param>
/// <param name="Generation">Null when there is no hash.</param>
/// <param name="Fields">Every field but the generation, which a copy does not keep.</param>
internal sealed record SessionCopy(string Digest, RedisValue Generation, IReadOnlyList<SessionCopy.Field> Fields)
{
    /// <summary>Whose session it is; null when it is nobody's.</summary>
    public string? User { get; } = (string?)Fields.FirstOrDefault(one => one.Name == SessionHashLayout.User).Value;

    /// <summary>Null when the session that was seen has ended.</summary>
    public static SessionCopy? Parse(RedisResult reply)
    {
        if (reply.IsNull) return null;
        var generation = (RedisValue)reply[1];
        var content = (RedisValue[])reply[2]!;
        var expiries = (RedisValue[])reply[3]!;
        var fields = new List<Field>(content.Length / 2);
        for (int i = 0; i < content.Length; i += 2)
        {
            if (content[i].ToString() == SessionHashLayout.Generation) continue;
            long expiry = expiries.Length > i / 2 ? (long)expiries[i / 2] : -1;
            fields.Add(new(content[i], content[i + 1], expiry));
        }

        return new((string)reply[0]!, generation.IsNullOrEmpty ? RedisValue.Null : generation, fields);
    }

    /// <summary>A field with its value and, in unix milliseconds, when it disappears by itself: not positive when it does not.</summary>
    internal readonly record struct Field(RedisValue Name, RedisValue Value, long ExpiresAt);
}
