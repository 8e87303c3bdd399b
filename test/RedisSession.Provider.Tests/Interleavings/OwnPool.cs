using System.Reflection;

namespace RedisSession.Provider.Tests;

/// <summary>
/// What a thread gives to the thread pool while it plays an interleaving stays with it, until <see cref="RunAll"/>. Where several await one
/// task, .NET runs one of them at once and the others on the pool: on other threads, and at moments of their own.
/// </summary>
/// <remarks>
/// A thread of the pool has a queue of its own, from which idle threads steal. This gives the thread such a queue, and lets nobody know of
/// it. There is no public way to that, so that it goes by reflection; a runtime in which it looks otherwise says so here.
/// </remarks>
internal sealed class OwnPool
{
    private const BindingFlags Any = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    private static readonly Assembly Runtime = typeof(ThreadPool).Assembly;
    private static readonly Type Locals = Find("System.Threading.ThreadPoolWorkQueueThreadLocals");
    private static readonly FieldInfo LocalsOfThread = Field(Locals, "threadLocals");
    private static readonly Action<Task, Thread> Execute =
        Method(typeof(Task), "ExecuteFromThreadPool").CreateDelegate<Action<Task, Thread>>();

    private readonly object _locals;
    private readonly Func<object?> _pop;

    public OwnPool()
    {
        object pool = Field(typeof(ThreadPool), "s_workQueue").GetValue(null)!;
        _locals = Activator.CreateInstance(Locals, Any, null, [pool], null)!;
        object queue = Field(Locals, "workStealingQueue").GetValue(_locals)!;
        _pop = Method(queue.GetType(), "LocalPop").CreateDelegate<Func<object?>>(queue);
        Method(Find("System.Threading.ThreadPoolWorkQueue+WorkStealingQueueList"), "Remove").Invoke(null, [queue]);
    }

    /// <summary>Runs <paramref name="action"/> with this as the pool of its thread.</summary>
    public void Around(Action action)
    {
        var context = SynchronizationContext.Current;
        object? locals = LocalsOfThread.GetValue(null);
        LocalsOfThread.SetValue(null, _locals);
        SynchronizationContext.SetSynchronizationContext(null); // that of a test would keep what awaits from going on at once
        try
        {
            action();
        }
        finally
        {
            RunAll();
            SynchronizationContext.SetSynchronizationContext(context);
            LocalsOfThread.SetValue(null, locals);
        }
    }

    /// <summary>Does all that was given to the pool, and what that gives to it.</summary>
    public void RunAll()
    {
        while (_pop() is { } work)
        {
            if (work is Task task) Execute(task, Thread.CurrentThread);
            else ((IThreadPoolWorkItem)work).Execute();
        }
    }

    private static Type Find(string name) => Runtime.GetType(name) ?? throw Missing(name);

    private static FieldInfo Field(Type type, string name) => type.GetField(name, Any) ?? throw Missing($"{type}.{name}");

    private static MethodInfo Method(Type type, string name) => type.GetMethod(name, Any) ?? throw Missing($"{type}.{name}");

    private static InvalidOperationException Missing(string name) =>
        new($"This runtime's thread pool has no {name}: see {nameof(OwnPool)}.");
}
