using System.Reflection;
using KeraLua;

namespace RedisSession.Provider.Tests;

/// <summary>
/// Runs the library's scripts as they are, on <see cref="RedisInMemory"/>: whatever a static field holds as <see cref="RedisScript"/>. Lua
/// is 5.4 here and 5.1 in Redis; the scripts get what they use of 5.1.
/// </summary>
#pragma warning disable CA1001 // it lives as long as its thread
internal sealed class LuaScripts
#pragma warning restore CA1001
{
    private const string Prelude = """
        local raw, sha1hex = ...
        unpack, KEYS, ARGV = table.unpack, {}, {}
        redis = {pcall = raw, sha1hex = sha1hex}
        function redis.call(...)
          local reply = raw(...)
          if type(reply) == 'table' and reply.err then error(reply, 0) end
          return reply
        end
        function redis.error_reply(text) return {err = text} end
        function redis.status_reply(text) return {ok = text} end
        setmetatable(_G, {__newindex = function(_, name) error('Script attempted to create global variable ' .. name) end})
        """;

    /// <summary>Each script by its SHA-1.</summary>
    private static readonly Dictionary<string, (string Name, string Text, bool IsRepeatable)> All = (
        from type in typeof(RedisHashSession).Assembly.GetTypes()
        from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
        where field.FieldType == typeof(RedisScript)
        let script = (RedisScript)field.GetValue(null)!
        from form in (RedisScript[])[script, script.Fenced, script.Releasing]
        let text = TextOf(form)
        group ($"{type.Name}.{field.Name}", text, form.IsRepeatable) by RedisInMemory.Sha1Hex(text))
        .ToDictionary(same => same.Key, same => same.First());

    private static readonly Dictionary<string, string> Names = All.Values.ToDictionary(script => script.Text, script => script.Name);

    private readonly RedisInMemory _redis;
    private readonly Lua _lua = new() { Encoding = Encoding.Latin1 };
    private readonly LuaFunction _call; // Lua does not keep them alive
    private readonly LuaFunction _sha1Hex;
    private readonly Dictionary<string, int> _compiled = [];

    public LuaScripts(RedisInMemory redis)
    {
        _redis = redis;
        _call = _ => Call();
        _sha1Hex = _ => Push(RedisInMemory.Sha1Hex(_lua.ToString(1, false)));
        Require(_lua.LoadString(Prelude));
        _lua.PushCFunction(_call);
        _lua.PushCFunction(_sha1Hex);
        Require(_lua.PCall(2, 0, 0));
    }

    /// <summary>Null for one that is not in a field: the server does not have it.</summary>
    public static IEnumerable<string> Texts => Names.Keys;

    public static string? TextBySha1(byte[] sha1) => All.GetValueOrDefault(Convert.ToHexStringLower(sha1)).Text;

    public static bool IsRepeatable(string text) => All[RedisInMemory.Sha1Hex(text)].IsRepeatable;

    public static string NameOf(string text) => Names.GetValueOrDefault(text, "a script");

    public object? Run(string text, ReadOnlySpan<string> keys, ReadOnlySpan<string> arguments)
    {
        if (!_compiled.TryGetValue(text, out int function))
        {
            Require(_lua.LoadString(text));
            _compiled[text] = function = _lua.Ref(LuaRegistry.Index);
        }

        SetGlobal("KEYS", keys);
        SetGlobal("ARGV", arguments);
        _lua.RawGetInteger(LuaRegistry.Index, function);
        bool isOk = _lua.PCall(0, 1, 0) == LuaStatus.OK;
        object? reply = isOk || _lua.Type(-1) == LuaType.Table ? Reply() : new RedisError("ERR " + _lua.ToString(-1, false));
        _lua.SetTop(0);
        return reply;
    }

    private void SetGlobal(string name, ReadOnlySpan<string> texts)
    {
        _lua.CreateTable(texts.Length, 0);
        for (int i = 0; i < texts.Length; i++)
        {
            _lua.PushString(texts[i]);
            _lua.RawSetInteger(-2, i + 1);
        }

        _lua.SetGlobal(name);
    }

    /// <summary>A command of a script. It never throws: Lua's own frames are above.</summary>
    private int Call()
    {
        string[] words = new string[_lua.GetTop()];
        for (int i = 0; i < words.Length; i++)
        {
            // As Redis does: whole numbers without a fraction.
            words[i] = _lua.Type(i + 1) == LuaType.Number && !_lua.IsInteger(i + 1)
                ? _lua.ToNumber(i + 1).ToString("G17", CultureInfo.InvariantCulture)
                : _lua.ToString(i + 1, false);
        }

        try
        {
            return Push(_redis.Run(words[0], words.Length > 1 ? words[1] : "", words.AsSpan(Math.Min(2, words.Length))));
        }
        catch (Exception error)
        {
            return Push(new RedisError($"ERR {words[0]}: {error.Message}"));
        }
    }

    private int Push(object? reply)
    {
        switch (reply)
        {
            case null:
                _lua.PushBoolean(false);
                break;
            case string text:
                _lua.PushString(text);
                break;
            case long number:
                _lua.PushInteger(number);
                break;
            case RedisError or RedisStatus:
                _lua.CreateTable(0, 1);
                _lua.PushString(reply is RedisError error ? error.Message : ((RedisStatus)reply).Text);
                _lua.SetField(-2, reply is RedisError ? "err" : "ok");
                break;
            case object?[] replies:
                _lua.CreateTable(replies.Length, 0);
                for (int i = 0; i < replies.Length; i++)
                {
                    Push(replies[i]);
                    _lua.RawSetInteger(-2, i + 1);
                }

                break;
        }

        return 1;
    }

    /// <summary>What is on top of the stack, as Redis makes a reply of it.</summary>
    private object? Reply()
    {
        switch (_lua.Type(-1))
        {
            case LuaType.String:
                return _lua.ToString(-1, false);
            case LuaType.Number:
                return (long)_lua.ToNumber(-1);
            case LuaType.Boolean:
                return _lua.ToBoolean(-1) ? 1L : null;
            case LuaType.Table:
                if (_lua.GetField(-1, "err") == LuaType.String) return new RedisError(_lua.ToString(-1, false));
                _lua.Pop(1);
                var replies = new List<object?>();
                while (_lua.RawGetInteger(-1, replies.Count + 1) != LuaType.Nil)
                {
                    replies.Add(Reply());
                    _lua.Pop(1);
                }

                _lua.Pop(1);
                return replies.ToArray();
            default:
                return null;
        }
    }

    private void Require(LuaStatus status)
    {
        if (status != LuaStatus.OK) throw new InvalidOperationException(_lua.ToString(-1, false));
    }

    public static string TextOf(RedisScript script) =>
        (string)typeof(RedisScript).GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public)
            .Single(field => field.FieldType == typeof(string)).GetValue(script)!;
}
