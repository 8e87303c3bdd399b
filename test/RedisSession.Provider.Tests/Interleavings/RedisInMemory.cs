using System.Security.Cryptography;

namespace RedisSession.Provider.Tests;

/// <summary>An error reply.</summary>
internal sealed record RedisError(string Message);

/// <summary>A reply that is no value, such as OK.</summary>
internal sealed record RedisStatus(string Text);

/// <summary>What is under a key. <see cref="Version"/> counts the changes of its content.</summary>
internal sealed class RedisEntry
{
    public Dictionary<string, string>? Hash { get; set; }

    public Dictionary<string, long> FieldExpiries { get; } = [];

    public Dictionary<string, double>? SortedSet { get; set; }

    public string? Text { get; set; }

    public long? TimeToLive { get; set; }

    public int Version { get; set; }

    public RedisEntry Copy()
    {
        var copy = new RedisEntry { Hash = Hash is null ? null : new(Hash), Text = Text, TimeToLive = TimeToLive };
        foreach (var (field, expiry) in FieldExpiries) copy.FieldExpiries[field] = expiry;
        return copy;
    }
}

/// <summary>
/// As much of Redis as a request's session and its scripts use. Nothing expires by itself: there is no clock. Text is bytes, each as one
/// character (Latin-1). A reply is null, a string, a long, a <see cref="RedisStatus"/>, a <see cref="RedisError"/> or an array of replies.
/// </summary>
internal sealed class RedisInMemory
{
    private long _microseconds;

    public Dictionary<string, RedisEntry> Keys { get; } = [];

    public void Clear()
    {
        Keys.Clear();
        _microseconds = 0;
    }

    public void Pass(TimeSpan time) => _microseconds += (long)time.TotalMicroseconds;

    public Dictionary<string, string>? HashAt(string key) => Keys.GetValueOrDefault(key)?.Hash;

    public static string Sha1Hex(string text) =>
#pragma warning disable CA5350 // as Redis does
        Convert.ToHexStringLower(SHA1.HashData(Encoding.Latin1.GetBytes(text)));
#pragma warning restore CA5350

    public object? Run(string name, string key, ReadOnlySpan<string> arguments)
    {
        if (name[0] == 'H' && Keys.TryGetValue(key, out var entry) && entry.Hash is null)
            return new RedisError("WRONGTYPE Operation against a key holding the wrong kind of value");
        var hash = name[0] == 'H' ? HashAt(key) : null;
        switch (name)
        {
            case "TIME":
                _microseconds++; // no two calls answer the same
                return new object[] { Text(1_700_000_000 + (_microseconds / 1_000_000)), Text(_microseconds % 1_000_000) };
            case "EXISTS":
                return Keys.ContainsKey(key) ? 1L : 0L;
            case "UNLINK" or "DEL":
                return Keys.Remove(key) ? 1L : 0L;
            case "PEXPIRE":
                if (!Keys.TryGetValue(key, out var expiring)) return 0L;
                expiring.TimeToLive = Number(arguments[0]);
                return 1L;
            case "PTTL":
                return Keys.TryGetValue(key, out var living) ? living.TimeToLive ?? -1 : -2L;
            case "COPY": // to REPLACE
                if (!Keys.TryGetValue(key, out var original)) return 0L;
                Keys[arguments[0]] = original.Copy();
                return 1L;
            case "RENAME":
                if (!Keys.Remove(key, out var renamed)) return new RedisError("ERR no such key");
                Keys[arguments[0]] = renamed;
                return new RedisStatus("OK");
            case "PUBLISH":
                return 0L;
            case "EVALSHA":
                return new RedisError("NOSCRIPT No matching script.");
            case "GET":
                return Keys.GetValueOrDefault(key)?.Text;
            case "SET":
                Keys[key] = new() { Text = arguments[0], TimeToLive = arguments is [_, "PX", var time, ..] ? Number(time) : null };
                return new RedisStatus("OK");
            case "HGET":
                return hash?.GetValueOrDefault(arguments[0]);
            case "HMGET":
                var values = new object?[arguments.Length];
                for (int i = 0; i < values.Length; i++) values[i] = hash?.GetValueOrDefault(arguments[i]);
                return values;
            case "HGETALL":
                return hash is null ? [] : hash.SelectMany(field => new object[] { field.Key, field.Value }).ToArray();
            case "HKEYS":
                return hash is null ? [] : hash.Keys.ToArray<object>();
            case "HSCAN": // all at once
                return new object?[] { "0", Run("HGETALL", key, []) };
            case "HLEN":
                return hash?.Count ?? 0L;
            case "HEXISTS":
                return hash?.ContainsKey(arguments[0]) == true ? 1L : 0L;
            case "HSET":
                return Set(key, arguments);
            case "HSETNX":
                return hash?.ContainsKey(arguments[0]) == true ? 0L : Set(key, arguments);
            case "HDEL":
                return Remove(key, arguments);
            case "HINCRBY":
                if (!long.TryParse(hash?.GetValueOrDefault(arguments[0]) ?? "0", CultureInfo.InvariantCulture, out long sum))
                    return new RedisError("ERR hash value is not an integer");
                sum += Number(arguments[1]);
                Set(key, [arguments[0], Text(sum)]);
                return sum;
            case "HPEXPIRE" or "HPEXPIREAT": // time FIELDS count field …
                foreach (string field in arguments[3..]) Keys.GetValueOrDefault(key)?.FieldExpiries[field] = Number(arguments[0]);
                return Fields(key, arguments[3..], static (_, isThere) => isThere ? 1L : -2L);
            case "HPEXPIRETIME": // FIELDS count field …
                var expiries = Keys.GetValueOrDefault(key)?.FieldExpiries;
                return Fields(key, arguments[2..], (field, isThere) => isThere ? expiries!.GetValueOrDefault(field, -1) : -2L);
            case "ZADD":
                var listed = Entry(key).SortedSet ??= [];
                bool isAdded = !listed.ContainsKey(arguments[1]);
                listed[arguments[1]] = double.Parse(arguments[0], CultureInfo.InvariantCulture);
                return isAdded ? 1L : 0L;
            case "ZSCORE":
                return Members(key).TryGetValue(arguments[0], out double score) ? Text((long)score) : null;
            case "ZREM":
                return RemoveMembers(key, [arguments[0]]);
            case "ZREMRANGEBYSCORE": // -inf up to
                double limit = double.Parse(arguments[1], CultureInfo.InvariantCulture);
                return RemoveMembers(key, Members(key).Where(member => member.Value <= limit).Select(member => member.Key));
            case "ZRANGE": // 0 -1, or the last: -1 -1
                var members = Members(key).OrderBy(member => member.Value).Skip(arguments[0] == "-1" ? Members(key).Count - 1 : 0);
                bool withScores = arguments.Contains("WITHSCORES");
                return members.SelectMany(m => withScores ? [m.Key, Text((long)m.Value)] : new object[] { m.Key }).ToArray();
            default:
                return new RedisError($"ERR unknown command '{name}'");
        }
    }

    private RedisEntry Entry(string key) => Keys.TryGetValue(key, out var entry) ? entry : Keys[key] = new();

    private long Set(string key, ReadOnlySpan<string> fields)
    {
        var entry = Entry(key);
        entry.Hash ??= [];
        long added = 0;
        for (int i = 0; i < fields.Length; i += 2)
        {
            if (!entry.Hash.ContainsKey(fields[i])) added++;
            entry.Hash[fields[i]] = fields[i + 1];
            entry.FieldExpiries.Remove(fields[i]);
        }

        entry.Version++;
        return added;
    }

    private long Remove(string key, ReadOnlySpan<string> fields)
    {
        if (!Keys.TryGetValue(key, out var entry)) return 0;
        long removed = 0;
        foreach (string field in fields)
        {
            if (entry.Hash!.Remove(field)) removed++;
            entry.FieldExpiries.Remove(field);
        }

        if (removed > 0) entry.Version++;
        if (entry.Hash!.Count == 0) Keys.Remove(key);
        return removed;
    }

    private object[] Fields(string key, ReadOnlySpan<string> fields, Func<string, bool, long> answer)
    {
        var hash = HashAt(key);
        object[] answers = new object[fields.Length];
        for (int i = 0; i < answers.Length; i++) answers[i] = answer(fields[i], hash?.ContainsKey(fields[i]) == true);
        return answers;
    }

    private Dictionary<string, double> Members(string key) => Keys.GetValueOrDefault(key)?.SortedSet ?? [];

    private long RemoveMembers(string key, IEnumerable<string> members)
    {
        long removed = members.ToArray().LongCount(member => Keys[key].SortedSet?.Remove(member) == true);
        if (Keys.GetValueOrDefault(key)?.SortedSet?.Count == 0) Keys.Remove(key);
        return removed;
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
