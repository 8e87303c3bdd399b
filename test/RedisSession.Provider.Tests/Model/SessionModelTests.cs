using CsCheck;
using Microsoft.AspNetCore.Session;

namespace RedisSession.Provider.Tests;

/// <summary>
/// Random sequences of operations by up to four overlapping requests on one session, and by the world that ends it, on the real session and
/// on the small model: every answer, every refusal and what is left in Redis must agree. The environment variable
/// <c>SESSION_MODEL_SEQUENCES</c> says how many (per mode and kind of server); a failure prints a seed that repeats it.
/// </summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
internal sealed class SessionModelTests(ServerKind kind)
{
    private static readonly long Sequences =
        long.TryParse(Environment.GetEnvironmentVariable("SESSION_MODEL_SEQUENCES"), out long count) ? count : 150;

    private readonly string _keyPrefix = SessionStack.NewKeyPrefix();

    [Test]
    public async Task Real_session_and_model_agree([Values] RedisSessionMode mode)
    {
        var server = await TestServers.GetAsync(kind);
        await using var first = Start();
        await using var second = Start();
        ISessionStore[] stores = [first.GetRequiredService<ISessionStore>(), second.GetRequiredService<ISessionStore>()];

        // Both are connected: live mode collects what it cannot send yet, and the net effect of that is less than the model says.
        await second.GetRequiredService<IRedisSessionConnection>().GetDatabaseAsync();
        var redis = await first.GetRequiredService<IRedisSessionConnection>().GetDatabaseAsync();

        await SessionOperation.Sequences.SampleAsync(
            sequence => RunAsync(sequence, mode, stores, redis),
            iter: Sequences,
            threads: 4,
            print: sequence => string.Join("\n", sequence.Select(operation => operation.ToString())));

        ServiceProvider Start() => new ServiceCollection().AddLogging().AddRedisHashSession(options =>
            (options.Configuration, options.KeyPrefix, options.Mode) = (server.ConfigurationString, _keyPrefix, mode)).BuildServiceProvider();
    }

    private async Task RunAsync(SessionOperation[] sequence, RedisSessionMode mode, ISessionStore[] stores, IDatabase redis)
    {
        string sessionKey = Guid.NewGuid().ToString();
        RedisKey key = $"{_keyPrefix}sessions:{SessionId.Of(sessionKey)}";
        var hash = new ModelHash();
        ModelInstance[] instances = [new(), new()];
        var requests = new Dictionary<int, Pair>();
        var all = new List<Pair>();
        int before = 0;
        foreach (var operation in sequence)
        {
            // Live writes are on their way while their request goes on; before somebody else acts they have arrived.
            if (operation.Actor != before && requests.TryGetValue(before, out var other))
            {
                await CommitAsync(other, "turn");
                if (other.Model.IsLost) requests.Remove(before);
            }

            before = operation.Actor;
            if (operation.Actor == 0)
            {
                await redis.KeyDeleteAsync(key);
                hash.End();
                continue;
            }

            if (!requests.TryGetValue(operation.Actor, out var request))
            {
                int at = operation.Actor % stores.Length;
                var real = stores[at].Create(sessionKey, TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(30), () => true, isNewSessionKey: false);
                requests[operation.Actor] = request = new((RedisHashSession)real, new(hash, instances[at], mode));
                all.Add(request);
            }

            await StepAsync(operation, request, mode);

            // What a request does after it was told that the lock is lost is not said here; it holds up its instance until it ends.
            if (request.Model.IsLost || operation.Verb == SessionVerb.EndRequest) requests.Remove(operation.Actor);
        }

        foreach (var request in requests.Values) await CommitAsync(request, "end");

        var left = (await redis.HashGetAllAsync(key)).Where(entry => entry.Name != "@gen" && entry.Name != "@created" && entry.Name != "@lock")
            .Select(entry => $"{SessionHashLayout.SessionKeyOf(entry.Name)}={entry.Value}").Order(StringComparer.Ordinal);
        var expected = (hash.Fields ?? []).Select(field => $"{field.Key}={field.Value}").Order(StringComparer.Ordinal);
        Require(string.Join(' ', expected), string.Join(' ', left), "what is left");
        Require(hash.Fields is not null, await redis.KeyExistsAsync(key), "existence");
        Require(hash.Fields is not null, await redis.KeyTimeToLiveAsync(key) is not null, "TTL");
        Require(hash.Holder is not null, await redis.HashExistsAsync(key, "@lock"), "lock");
        foreach (var request in all) await IsAcceptedAsync(request.ReleaseAsync());
    }

    private static async Task StepAsync(SessionOperation operation, Pair request, RedisSessionMode mode)
    {
        var (real, model) = (request.Real, request.Model);
        string key = operation.Key;
        switch (operation.Verb)
        {
            case SessionVerb.Set: real.SetValue(key, operation.Value); model.Change(clear: false, key, operation.Value); break;
            case SessionVerb.Remove: real.Remove(key); model.Change(clear: false, key, null); break;
            case SessionVerb.Clear: real.Clear(); model.Change(clear: true, null, null); break;
            case SessionVerb.Load: await real.LoadAsync(); model.Load(); break;
            case SessionVerb.Reload: await real.ReloadAsync(); model.Reload(); break;
            case SessionVerb.Abandon: await real.AbandonAsync(new DefaultHttpContext(), CancellationToken.None); model.Abandon(); break;
            case SessionVerb.Read: Require(model.Read(key) ?? 0, real.GetInt(key), "read"); break;
            case SessionVerb.ReadAsync: Require(model.ReadLive(key) ?? 0, await real.GetIntAsync(key), "live read"); break;
            case SessionVerb.Lock: Require(model.Lock(), await request.LockAsync(), "lock"); break;
            case SessionVerb.ReadKeys:
                Require(string.Join(' ', model.Keys()), string.Join(' ', real.Keys.Order(StringComparer.Ordinal)), "keys");
                break;
            case SessionVerb.ReadSeveralAsync:
                var values = await real.ReadAsync(["a", "b", "@c"]);
                foreach (string one in values.Keys) Require(model.ReadLive(one) ?? 0, values[one].Int, $"live read of {one} among several");
                break;
            case SessionVerb.SetAsync:
                model.Change(clear: false, key, operation.Value);
                Require(model.Commit(), await IsAcceptedAsync(real.SetValueAsync(key, operation.Value)), "asynchronous set");
                break;
            case SessionVerb.RemoveAsync:
                model.Change(clear: false, key, null);
                Require(model.Commit(), await IsAcceptedAsync(real.RemoveAsync(key)), "asynchronous remove");
                break;
            case SessionVerb.Unlock or SessionVerb.EndRequest when model.IsLocked:
                Require(model.Unlock(), await IsAcceptedAsync(request.ReleaseAsync()), "unlock");
                break;
            case SessionVerb.Commit or SessionVerb.EndRequest:
                await CommitAsync(request, "commit");
                break;
        }

        // A live write that was refused shows until the refusal arrives.
        bool isRefused = model.IsEnded || (model.IsLost && operation.Verb is not (SessionVerb.Unlock or SessionVerb.EndRequest));
        if (mode == RedisSessionMode.Live && isRefused) await CommitAsync(request, "refusal");
    }

    private static async Task CommitAsync(Pair request, string what) =>
        Require(request.Model.Commit(), await IsAcceptedAsync(request.Real.CommitAsync()), what);

    private static Task<bool> IsAcceptedAsync(Task write) =>
        Attempt.IsDoneAsync(() => write, error => error is SessionEndedException or SessionLockLostException);

    private static void Require<T>(T expected, T actual, string what)
    {
        if (EqualityComparer<T>.Default.Equals(expected, actual)) return;
        throw new InvalidOperationException($"{what}: the model says '{expected}', the session '{actual}'.");
    }

    /// <summary>A request, and what the model says of it.</summary>
    private sealed record Pair(RedisHashSession Real, ModelRequest Model)
    {
        private SessionLock? _lock;

        public async Task<LockAnswer> LockAsync()
        {
            try
            {
                if (await Real.TryLockAsync() is not { } taken) return LockAnswer.Busy;
                _lock = taken;
                return LockAnswer.Taken;
            }
            catch (SessionEndedException)
            {
                return LockAnswer.SessionEnded;
            }
            catch (InvalidOperationException)
            {
                return LockAnswer.HeldAlready;
            }
        }

        public async Task ReleaseAsync()
        {
            if (_lock is not null) await _lock.DisposeAsync();
        }
    }
}
