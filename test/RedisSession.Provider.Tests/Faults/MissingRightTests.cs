using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace RedisSession.Provider.Tests;

/// <summary>
/// Every script, by a Redis user who lacks one of the rights that it uses: either everything happens or nothing. Redis takes nothing back of
/// what a script has done before it was refused.
/// </summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.ProcessKinds))]
internal sealed partial class MissingRightTests(ServerKind kind) : OwningFixture
{
    private const string Password = "password";
    private const string Session = "HSET {0} @gen g @created 1700000000000 @user ann a 1 n 5; PEXPIRE {0} 60000";
    private const string Absolute = "99999999999999";
    private const string Tombstone = "HSET {0} @gen ~99999999999999:{lease}; PEXPIRE {0} 60000; "
        + "HSET {1} @gen g @created 1 @user ann a 1; PEXPIRE {1} 60000";

    private readonly ConcurrentDictionary<string, Lazy<Task<IDatabase?>>> _users = [];
    private SharedServer _server = null!;

    public static IEnumerable<TestCaseData> Scripts()
    {
        yield return Case("Change, new", SessionScripts.Change, "", "60000", "0", "", "g", "1", "a", "2");
        yield return Case("Change, new, removed and set", SessionScripts.Change, "", "60000", "0", "", "g", "5", "b", "a", "2");
        yield return Case("Change, new, cleared and set", SessionScripts.Change, "", "60000", "0", "", "g", "3", "a", "2");
        foreach (string ttl in new[] { "60000", "-60000" })
        {
            yield return Case($"Change, set, {ttl}", SessionScripts.Change, Session, ttl, "0", "g", "", "1", "a", "2");
            yield return Case($"Change, removed, {ttl}", SessionScripts.Change, Session, ttl, "0", "g", "", "4", "a");
            yield return Case($"Change, removed and set, {ttl}", SessionScripts.Change, Session, ttl, "0", "g", "", "5", "a", "b", "2");
            yield return Case($"Change, cleared, {ttl}", SessionScripts.Change, Session, ttl, "0", "g", "", "2");
            yield return Case($"Change, cleared and set, {ttl}", SessionScripts.Change, Session, ttl, Absolute, "g", "", "3", "b", "2");
            yield return Case($"Take, {ttl}", FieldScripts.Take, Session, ttl, "0", "g", "", "a");
            yield return Case($"SetIfAbsent, {ttl}", FieldScripts.SetIfAbsent, Session, ttl, "0", "g", "", "b", "2");
            yield return Case($"SetIfUnchanged, {ttl}", FieldScripts.SetIfUnchanged, Session, ttl, "0", "g", "", "a", "1", "1", "2");
            yield return Case($"SetIfUnchanged, expiry kept, {ttl}", FieldScripts.SetIfUnchanged, Session, ttl, "0", "g", "", "a", "1", "1", "2", "1");
            yield return Case($"Increment, {ttl}", FieldScripts.Increment, Session, ttl, "0", "g", "", "n", "1");
            yield return Case($"SetExpiring, {ttl}", FieldScripts.SetExpiring, Session, ttl, "0", "g", "", "b", "2", "30000");
            yield return Case($"Lock.Take, {ttl}", LockScripts.Take, Session, ttl, "0", "g", "", "mine", "10000");
        }

        yield return Case("SetIfAbsent, new", FieldScripts.SetIfAbsent, "", "60000", "0", "", "g", "b", "2");
        yield return Case("SetIfUnchanged, new", FieldScripts.SetIfUnchanged, "", "60000", "0", "", "g", "a", "0", "", "2");
        yield return Case("Increment, new", FieldScripts.Increment, "", "60000", "0", "", "g", "n", "1");
        yield return Case("SetExpiring, new", FieldScripts.SetExpiring, "", "60000", "0", "", "g", "b", "2", "30000");
        yield return Case("Lock.Take, new", LockScripts.Take, "", "60000", "0", "", "g", "mine", "10000");
        yield return Case("Set", SessionScripts.Set, Session, "g", "60000", "a", "2");
        yield return Case("Set, fresh", SessionScripts.Set, Session, "g", "", "a", "2");
        yield return Case("Refresh", SessionScripts.Refresh, Session, "60000", Absolute);

        const string locked = Session + "; HSET {0} @lock mine:99999999999999:1700000000000:0";
        yield return Case("Lock.Extend", LockScripts.Extend, locked, "10000", "mine");
        yield return Case("Lock.Release", LockScripts.Release, locked, "channel", "mine");
        yield return Case("Lock.GiveUp", LockScripts.GiveUp, locked, "channel", "mine");
        yield return Case("Set, fenced", SessionScripts.Set.Fenced, locked, "g", "60000", "a", "2", "mine");
        yield return Case("Set, and the lock is released", SessionScripts.Set.Releasing, locked, "g", "60000", "a", "2", "channel", "mine");

        yield return Case("Renewal.Begin", RenewalScripts.Begin, Session, "60000", "0", "g", "h", "bob", "");
        yield return Case("Renewal.Begin, locked by another", RenewalScripts.Begin, locked, "60000", "0", "g", "h", "", "other");
        const string begun = Session + "; HSET {2} @gen h @created 1700000000000 @user bob a 1 b 3; PEXPIRE {2} 60000";
        yield return Case("Renewal.Finish", RenewalScripts.Finish, begun, "g", "h", "0", "60000", "60000", "5000", "b");
        yield return Case("Renewal.Park", RenewalScripts.Park, Session, "g", "60000", "60000", "5000");
        yield return Case("Renewal.Read", RenewalScripts.Read, Session, "g", "0", "1000");
        yield return Case("Renewal.Write", RenewalScripts.Write, "", "60000", "0", "g", "bob", "1", "1", "a", "1", "0");
        yield return Case("Renewal.Seal", RenewalScripts.Seal, Tombstone.Replace("{lease}", Absolute, StringComparison.Ordinal), "60000");
        yield return Case("Renewal.Revive", RenewalScripts.Revive, Tombstone.Replace("{lease}", "1", StringComparison.Ordinal));

        const string written = "HSET {0} @gen g @created 1 a 2; PEXPIRE {0} 60000";
        yield return Case("Renewal.Write, again", RenewalScripts.Write, written, "60000", "0", "g", "bob", "1", "1", "a", "1", "0");

        yield return Case("TakeOver.Create", TakeOverScripts.Create, "", "60000", "0", "g", "a", "1");
        yield return Case("TakeOver.Delete", TakeOverScripts.Delete, Session, "g");
        yield return Case("Bind", UserScripts.Bind, "HSET {0} @gen g @created 1; PEXPIRE {0} 60000", "ann", "g", "60000", "0");
        foreach (string onlyHash in new[] { "", "1" })
        {
            yield return Case($"End, {onlyHash}", UserScripts.End, Session, "ann", onlyHash);
            string renewed = Tombstone.Replace("{lease}", "0", StringComparison.Ordinal);
            yield return Case($"End, renewed, {onlyHash}", UserScripts.End, renewed, "", onlyHash);
        }

        yield return Case("Keep, new", UserScripts.Keep, "", "id", "60000", "");
        const string list = "ZADD {0} 99999999999999999 other; PEXPIRE {0} 60000";
        yield return Case("Keep", UserScripts.Keep, list, "id", "60000", "");
        yield return Case("Keep, removed", UserScripts.Keep, list, "other", "0", "1e+17");
        yield return Case("Beat", ListeningScripts.Beat, "", "me", "1", "30000", "60000", "0");
        yield return Case("Listening.End", ListeningScripts.End, "HSET {0} me 'x'; PEXPIRE {0} 60000", "me", "60000");

        const string blob = "HSET {0} absexp -1 sldexp 600000000 data old; PEXPIRE {0} 60000";
        yield return Case("Left.Mark", LeftScripts.Mark, blob, "g");
        yield return Case("Left.End", LeftScripts.End, blob);
        const string entry = "HSET {0} absexp -1 sldexp 600000000 data old; PEXPIRE {0} 60000";
        yield return Case("Cache.Renew", CacheScripts.Renew, entry, "63000000000000");
        yield return Case("Cache.Write", CacheScripts.Write, entry, "-1", "600000000", "new", "60000");
        const string more = "HSET {0} absexp -1 sldexp 600000000 data old another 1; PEXPIRE {0} 60000";
        yield return Case("Cache.Write, of more than an entry", CacheScripts.Write, more, "-1", "600000000", "new", "60000");
        yield return Case("Cache.Write, new", CacheScripts.Write, "", "-1", "600000000", "new", "60000");

        static TestCaseData Case(string name, RedisScript script, string setUp, params string[] arguments) =>
            new TestCaseData(script, setUp, Array.ConvertAll(arguments, one => (RedisValue)one)).SetArgDisplayNames(name);
    }

    [OneTimeSetUp]
    public async Task StartServer() => _server = Owned.Add(await SharedServer.StartAsync(kind));

    [TestCaseSource(nameof(Scripts))]
    public async Task Without_a_right_either_everything_happens_or_nothing(object script, string setUp, RedisValue[] arguments)
    {
        var tried = (RedisScript)script;
        var admin = _server.Admin.GetDatabase();
        string done = await AfterAsync();
        var rights = Commands().Matches(LuaScripts.TextOf(tried)).Select(match => match.Groups[1].Value).Distinct().ToArray();
        int refused = 0;
        foreach (string right in rights)
        {
            if (await UserWithoutAsync(right) is not { } user) continue; // this server does not have the command
            RedisKey[] keys = NewKeys();
            await SetUpAsync(admin, setUp, keys);
            string before = await ShowAsync(admin, keys);
            RedisResult? reply = null;
            bool isRefused = !await Attempt.IsDoneAsync<RedisServerException>(async () => reply = await tried.RunAsync(user, keys, arguments));
            isRefused |= reply?.Length == 3 && TellsError(reply[2]); // Increment
            if (isRefused) refused++;
            string after = await ShowAsync(admin, keys);
            Assert.That(after, Does.Not.Contain("no TTL"), $"without {right}, refused: {isRefused}");
            string seen = isRefused ? after : WithoutTimes(after);
            Assert.That(seen, Is.EqualTo(isRefused ? before : done), $"without {right}, refused: {isRefused}");
        }

        Assert.That(refused, Is.Positive);

        async Task<string> AfterAsync()
        {
            RedisKey[] keys = NewKeys();
            await SetUpAsync(admin, setUp, keys);
            await tried.RunAsync(admin, keys, arguments);
            return WithoutTimes(await ShowAsync(admin, keys));
        }
    }

    private static RedisKey[] NewKeys() => [.. Enumerable.Range(0, 3).Select(_ => (RedisKey)$"sessions:{Guid.NewGuid():N}")];

    private static bool TellsError(RedisResult part) => part.ToString().Contains("permission", StringComparison.OrdinalIgnoreCase)
        || part.ToString().Contains("executing the script", StringComparison.Ordinal);

    private static string WithoutTimes(string hashes) => Times().Replace(hashes, "…");

    [GeneratedRegex(@"\d{13,}")]
    private static partial Regex Times();

    [GeneratedRegex(@"call\('([A-Z]+)'")]
    private static partial Regex Commands();

    private Task<IDatabase?> UserWithoutAsync(string right) => _users.GetOrAdd(right, _ => new(async () =>
    {
        object[] rules = ["SETUSER", right, "on", $">{Password}", "~*", "&*", "+@all", $"-{right}"];
        if (!await Attempt.IsDoneAsync<RedisServerException>(() => _server.Admin.GetDatabase().ExecuteAsync("ACL", rules))) return null;
        return Owned.Add(await ConnectionMultiplexer.ConnectAsync($"{_server.ConfigurationString},user={right},password={Password}")).GetDatabase();
    })).Value;

    private static async Task SetUpAsync(IDatabase redis, string commands, RedisKey[] keys)
    {
        foreach (string command in commands.Split("; ", StringSplitOptions.RemoveEmptyEntries))
        {
            object[] words = [.. command.Split(' ')];
            for (int i = 0; i < keys.Length; i++) words[1] = Equals(words[1], $"{{{i}}}") ? keys[i] : words[1];
            await redis.ExecuteAsync((string)words[0], words[1..]);
        }
    }

    private static async Task<string> ShowAsync(IDatabase redis, RedisKey[] keys)
    {
        var all = new List<string>();
        for (int i = 0; i < keys.Length; i++)
        {
            var type = await redis.KeyTypeAsync(keys[i]);
            if (type == RedisType.None) continue;
            string[] holds = type == RedisType.Hash
                ? [.. (await redis.HashGetAllAsync(keys[i])).Select(field => $"{field.Name}={field.Value}").Order(StringComparer.Ordinal)]
                : [.. (await redis.SortedSetRangeByRankAsync(keys[i])).Select(member => member.ToString())];
            all.Add($"{i}: {string.Join(' ', holds)}{(await redis.KeyTimeToLiveAsync(keys[i]) is null ? ", no TTL" : "")}");
        }

        return string.Join("; ", all);
    }
}
