using System.Reflection;
using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider.Tests;

/// <summary>One call of each public asynchronous extension.</summary>
internal sealed record AsynchronousCall(string Name, Func<ISession, string, CancellationToken, Task> Invoke)
{
    private static readonly byte[] Bytes = [1];
    private static readonly TimeSpan OneMinute = TimeSpan.FromMinutes(1);
    private static readonly Cart Cart = new("owner", [], 0);

    public static IReadOnlyList<AsynchronousCall> All { get; } =
    [
        new("ReadAsync", (session, key, token) => session.ReadAsync(key, token).AsTask()),
        new("ReadAsync", (session, key, token) => session.ReadAsync([key], token).AsTask()),
        new("ReloadAsync", (session, _, token) => session.ReloadAsync(token)),
        new("GetRawAsync", (session, key, token) => session.GetRawAsync(key, token).AsTask()),
        new("GetStrAsync", (session, key, token) => session.GetStrAsync(key, token).AsTask()),
        new("GetIntAsync", (session, key, token) => session.GetIntAsync(key, token).AsTask()),
        new("GetLongAsync", (session, key, token) => session.GetLongAsync(key, token).AsTask()),
        new("GetBoolAsync", (session, key, token) => session.GetBoolAsync(key, token).AsTask()),
        new("GetValueAsync", (session, key, token) => session.GetValueAsync(key, 7, token).AsTask()),
        new("GetJsonAsync", (session, key, token) => session.GetJsonAsync(key, token).AsTask()),
        new("GetJsonAsync", (session, key, token) => session.GetJsonAsync<Preferences>(key, token).AsTask()),
        new("GetJsonOrAsync", (session, key, token) => session.GetJsonOrAsync(key, 7, token).AsTask()),
        new("GetJsonAsync", (session, key, token) => session.GetJsonAsync(key, CartJson.Default.Preferences, token).AsTask()),
        new("GetJsonOrAsync", (session, key, token) => session.GetJsonOrAsync(key, Cart, CartJson.Default.Cart, token).AsTask()),
        new("IsNoneAsync", (session, key, token) => session.IsNoneAsync(key, token).AsTask()),
        new("SetAsync", (session, key, token) => session.SetAsync(key, Bytes, token)),
        new("SetAsync", (session, key, token) => session.SetAsync([new(key, Bytes)], token)),
        new("SetValueAsync", (session, key, token) => session.SetValueAsync(key, 7, token)),
        new("SetJsonAsync", (session, key, token) => session.SetJsonAsync(key, 7, token)),
        new("SetJsonAsync", (session, key, token) => session.SetJsonAsync(key, Cart, CartJson.Default.Cart, token)),
        new("SetAsync", (session, key, token) => session.SetAsync(key, Bytes, OneMinute, token)),
        new("SetValueAsync", (session, key, token) => session.SetValueAsync(key, 7, OneMinute, token)),
        new("TakeAsync", (session, key, token) => session.TakeAsync(key, token)),
        new("TrySetAsync", (session, key, token) => session.TrySetAsync(key, Bytes, token)),
        new("TrySetValueAsync", (session, key, token) => session.TrySetValueAsync(key, 7, token)),
        new("IncrementAsync", (session, key, token) => session.IncrementAsync(key, 1, token)),
        new("UpdateJsonAsync", (session, key, token) => session.UpdateJsonAsync<int>(key, n => n, token)),
        new("UpdateJsonAsync", (session, key, token) => session.UpdateJsonAsync(key, _ => Cart, CartJson.Default.Cart, token)),
        new("RemoveAsync", (session, key, token) => session.RemoveAsync(key, token)),
    ];

    /// <summary>The names of all there are, once for each overload.</summary>
    public static IEnumerable<string> PublicNames =>
        from type in new[] { typeof(SessionAsyncGetterExtensions), typeof(SessionAsyncSetterExtensions), typeof(SessionAtomicExtensions) }
        from method in type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
        select method.Name;

    public override string ToString() => Name;
}
