using Microsoft.AspNetCore.Session;

namespace RedisSession.Provider.Benchmarks;

/// <summary>What the workloads do in a request; each answers how many values it found or set.</summary>
internal static class SessionWork
{
    private const string Counter = "counter";

    /// <summary>Creates a session; when this is done it is in Redis, where stock would write it after the answer.</summary>
    public static async ValueTask<int> ArriveAsync(HttpContext context, SessionShape shape)
    {
        foreach (string key in shape.Keys) context.Session.Set(key, shape.Value);
        await context.Session.CommitAsync();
        return shape.Keys.Length;
    }

    /// <summary>Leaves next to nothing in Redis.</summary>
    public static async ValueTask<int> LeaveAsync(HttpContext context, SessionShape shape)
    {
        await context.Session.LoadAsync();
        context.Session.Clear();
        await context.Session.CommitAsync();
        return 0;
    }

    public static async ValueTask<int> ReadOneAsync(HttpContext context, SessionShape shape)
    {
        await context.Session.LoadAsync();
        return Read(context.Session, shape, reads: 1);
    }

    public static async ValueTask<int> ReadTenAsync(HttpContext context, SessionShape shape)
    {
        await context.Session.LoadAsync();
        return Read(context.Session, shape, reads: 10);
    }

    public static int Read(ISession session, SessionShape shape, int reads)
    {
        if (reads == 1) return IsValue(session.TryGetValue(shape.Middle, out byte[]? one) ? one : null, shape);
        int found = 0;
        for (int i = 0; i < reads; i++)
        {
            if (session.TryGetValue(shape.KeyOf(i, reads), out byte[]? value)) found += IsValue(value, shape);
        }

        return found;
    }

    /// <summary>One key of many, by the cheapest way that there is.</summary>
    public static async ValueTask<int> ReadFieldAsync(HttpContext context, SessionShape shape)
    {
        var session = context.Session;
        switch (session)
        {
            case DistributedSession:
                await session.LoadAsync();
                return Read(session, shape, reads: 1);
            case FloorSession floor:
                return IsValue(await floor.ReadAsync(shape.Middle), shape);
            default:
                return IsValue((await session.ReadAsync(shape.Middle)).Raw, shape);
        }
    }

    /// <summary>Stock loads before it sets, and a thread waits for that unless it is done beforehand.</summary>
    public static async ValueTask<int> SetOneAsync(HttpContext context, SessionShape shape)
    {
        if (context.Session is DistributedSession) await context.Session.LoadAsync();
        context.Session.Set(shape.Middle, shape.Value);
        await ConfirmAsync(context.Session);
        return 1;
    }

    public static async ValueTask<int> CountAsync(HttpContext context, SessionShape shape)
    {
        await context.Session.LoadAsync();
        context.Session.SetInt32(Counter, (context.Session.GetInt32(Counter) ?? 0) + 1);
        await ConfirmAsync(context.Session);
        return 1;
    }

    public static ValueTask<int> IgnoreAsync(HttpContext context, SessionShape shape) => new(0);

    // Ours does it by itself, stock never.
    private static Task ConfirmAsync(ISession session) =>
        session is FloorSession { ConfirmsFirst: true } ? session.CommitAsync() : Task.CompletedTask;

    private static int IsValue(byte[]? value, SessionShape shape) => value?.Length == shape.Value.Length ? 1 : 0;
}
