using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>A Lua script, sent by its SHA-1 so that its text crosses the wire once per server, not on every call.</summary>
/// <param name="text">In Lua.</param>
/// <param name="again">
/// Whether it may be sent again when it is unknown whether the server ran it: running it twice has the same effect and reply as once.
/// </param>
internal sealed class RedisScript(string text, bool again = true)
{
    private static readonly Func<(IDatabase Database, byte[] Hash, RedisKey[] Keys, ScriptArguments Arguments), Task<RedisResult>> Evaluate =
        static it => it.Database.ScriptEvaluateAsync(it.Hash, it.Keys, it.Arguments.Now, CommandFlags.DemandMaster);

    private readonly byte[] _hash = Sha1(text);
    private RedisScript? _fenced;
    private RedisScript? _releasing;

    /// <summary>Running it twice has the same effect and reply as once.</summary>
    public bool IsRepeatable => again;

    /// <summary>
    /// The same for the owner of the session's lock, refused to anyone who no longer owns it: see <see cref="LockScripts"/>.
    /// </summary>
    public RedisScript Fenced => _fenced ??= new(LockScripts.Fenced(text), again);

    /// <summary>The same as <see cref="Fenced"/>, and it releases the lock.</summary>
    public RedisScript Releasing => _releasing ??= new(LockScripts.Releasing(text), again: false);

    /// <summary>
    /// Sends the script by its hash, see <see cref="Sending.Directly"/>. A server that does not have it answers with an error: see
    /// <see cref="IsMissing"/>.
    /// </summary>
    public SentScript SendDirectly(IDatabase database, RedisKey key, RedisValue[] arguments) => new(
        this,
        database,
        arguments,
        Sending.Directly(database, key, (database, _hash, new[] { key }, new ScriptArguments(arguments)), Evaluate, again));

    /// <summary>Sends it again: see <see cref="Sending.Again"/>.</summary>
    public Task<RedisResult>? SendAgainAsync(IDatabase database, RedisKey key, ScriptArguments arguments, Task<RedisResult> failed) =>
        Sending.Again(database, key, (database, _hash, new[] { key }, arguments), Evaluate, failed, again);

    /// <summary>Sends the script's text, which the server then caches: works whether or not the server has it.</summary>
    public Task<RedisResult> SendTextAsync(IDatabase database, RedisKey key, ScriptArguments arguments) =>
        SendTextAsync(database, [key], arguments);

    /// <summary>Sends the hash, then the text if the server lacks it: the only place with this fallback.</summary>
    public Task<RedisResult> RunAsync(IDatabase database, RedisKey key, RedisValue[] arguments, Waiting waiting = default) =>
        RunAsync(database, [key], arguments, waiting);

    /// <inheritdoc cref="RunAsync(IDatabase, RedisKey, RedisValue[], Waiting)"/>
    public Task<RedisResult> RunAsync(IDatabase database, RedisKey[] keys, RedisValue[] arguments, Waiting waiting = default) =>
        RunAsync(database, keys, new ScriptArguments(arguments), waiting);

    /// <inheritdoc cref="RunAsync(IDatabase, RedisKey, RedisValue[], Waiting)"/>
    public async Task<RedisResult> RunAsync(IDatabase database, RedisKey[] keys, ScriptArguments arguments, Waiting waiting = default)
    {
        try
        {
            return await waiting.ForAsync(SendAsync(database, keys, arguments)).ConfigureAwait(false);
        }
        catch (RedisServerException error) when (IsMissing(error))
        {
            return await waiting.ForAsync(SendTextAsync(database, keys, arguments)).ConfigureAwait(false);
        }
    }

    /// <summary>An argument that may be missing: scripts get an empty string.</summary>
    public static RedisValue OrEmpty(RedisValue value) => value.IsNull ? RedisValue.EmptyString : value;

    /// <summary>True when a server lacks the script: a new or restarted one, or after SCRIPT FLUSH.</summary>
    public static bool IsMissing(Exception error) => error is RedisServerException { Kind: RedisErrorKind.NoScript };

    private Task<RedisResult> SendAsync(IDatabase database, RedisKey[] keys, ScriptArguments arguments) => Sending.Try(
        database,
        keys[0],
        (database, _hash, keys, arguments),
        Evaluate,
        again);

    private Task<RedisResult> SendTextAsync(IDatabase database, RedisKey[] keys, ScriptArguments arguments) => Sending.Try(
        database,
        keys[0],
        (database, text, keys, arguments),
        static it => it.database.ExecuteAsync(
            "EVAL",
            [it.text, it.keys.Length, .. it.keys.Select(key => (object)key), .. it.arguments.Now.Select(argument => (object)argument)],
            CommandFlags.DemandMaster),
        again);

    [SuppressMessage("Security", "CA5350", Justification = "Redis names scripts by their SHA-1; nothing is secured with it.")]
    private static byte[] Sha1(string text) => SHA1.HashData(Encoding.UTF8.GetBytes(text));
}
