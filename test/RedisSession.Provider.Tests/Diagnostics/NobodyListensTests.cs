using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Microsoft.AspNetCore.Session;

namespace RedisSession.Provider.Tests;

/// <summary>What metrics and traces cost while nobody listens to them: nothing is allocated. Alone, because others listen.</summary>
[NonParallelizable]
internal sealed class NobodyListensTests
{
    private const int Times = 10_000;

    private ServiceProvider _services = null!;
    private SessionTelemetry _telemetry = null!;
    private SessionMetrics _metrics = null!;
    private RedisHashSession _session = null!;

    [OneTimeSetUp]
    public void Make()
    {
        _services = new ServiceCollection().AddLogging().AddRedisHashSession("localhost").BuildServiceProvider();
        _telemetry = _services.GetRequiredService<SessionTelemetry>();
        _metrics = _services.GetRequiredService<SessionMetrics>();
        _session = (RedisHashSession)_services.GetRequiredService<ISessionStore>()
            .Create("session key", TimeSpan.FromMinutes(20), TimeSpan.FromMinutes(1), () => true, isNewSessionKey: false);
    }

    [OneTimeTearDown]
    public void Dispose() => _services.Dispose();

    [Test]
    public void Following_an_operation_allocates_nothing()
    {
        var reply = Task.FromResult<RedisValue[]>([]);
        var confirmation = Task.FromResult<ExceptionDispatchInfo?>(null);
        RedisValue[] arguments = [1, "two"];
        AssertAllocatesNothing(() =>
        {
            _ = _telemetry.Begin(OperationKind.Read, _session).Follow(reply);
            var write = _telemetry.Begin(OperationKind.Write, _session);
            write.Sends(arguments);
            write.Follow(confirmation);
        });
    }

    [Test]
    public void What_was_to_be_followed_comes_back_as_it_is()
    {
        var reply = Task.FromResult(5);
        var confirmation = Task.FromResult<ExceptionDispatchInfo?>(null);
        var operation = _telemetry.Begin(OperationKind.Read, _session);
        Assert.That(operation, Is.Null);
        Assert.That(operation.Follow(reply), Is.SameAs(reply));
        Assert.That(operation.Follow(confirmation), Is.SameAs(confirmation));
    }

    [Test]
    public void Counting_allocates_nothing()
    {
        var error = new TimeoutException();
        AssertAllocatesNothing(() =>
        {
            _metrics.SessionCreated();
            _metrics.SessionRenewed();
            _metrics.SessionEnded(SessionEndReason.Expired);
            _metrics.WriteRefused();
            _metrics.OperationFailed(OperationKind.RefreshExpiry, error);
        });
    }

    /// <summary>
    /// What a local variable holds across an await makes the state machine of every call larger, listened to or not: the other way in which
    /// this could cost something.
    /// </summary>
    [Test]
    public void No_asynchronous_method_of_a_session_keeps_anything_for_it()
    {
        var machines = ((Type[])[typeof(SessionReader), typeof(SessionWriter), typeof(AtomicChanges), typeof(KeyRenewal), typeof(SessionEnding)])
            .SelectMany(operation => operation.GetNestedTypes(BindingFlags.NonPublic))
            .Where(type => type.IsAssignableTo(typeof(IAsyncStateMachine)))
            .ToArray();
        Assert.That(machines, Has.Length.GreaterThan(10));

        Type[] forbidden = [typeof(RunningOperation), typeof(Activity), typeof(OperationKind)];
        var kept = machines.SelectMany(machine => machine.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
            .Where(field => forbidden.Contains(field.FieldType));
        Assert.That(kept, Is.Empty);
    }

    private static void AssertAllocatesNothing(Action act)
    {
        for (int i = 0; i < 100; i++) act(); // what is made once
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Times; i++) act();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }
}
