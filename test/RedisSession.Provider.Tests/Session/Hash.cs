namespace RedisSession.Provider.Tests;

/// <summary>A Redis hash in memory, and what the change script does to it, read from the remarks on its arguments.</summary>
internal sealed class Hash : Dictionary<string, byte[]>
{
    public static Hash Of(Dictionary<string, byte[]> session)
    {
        var hash = new Hash { ["@gen"] = "generation"u8.ToArray(), ["@created"] = "1700000000000"u8.ToArray() };
        foreach (var (key, value) in session) hash[key.StartsWith('@') ? "@" + key : key] = value;
        return hash;
    }

    /// <summary>As HGETALL answers.</summary>
    public HashEntry[] Entries() => [.. this.Select(field => new HashEntry(Encoding.UTF8.GetBytes(field.Key), field.Value))];

    public void Apply(RedisValue[] arguments)
    {
        int form = (int)arguments[4];
        if ((form & 2) != 0)
        {
            foreach (string field in Keys.Where(IsUsers).ToList()) Remove(field);
        }

        int firstSet = 5 + (form >> 2);
        for (int i = 5; i < firstSet; i++) Remove(arguments[i].ToString());
        for (int i = firstSet; i < arguments.Length; i += 2) this[arguments[i].ToString()] = (byte[])arguments[i + 1]!;
    }

    private static bool IsUsers(string field) => !field.StartsWith('@') || field.StartsWith("@@", StringComparison.Ordinal);
}
