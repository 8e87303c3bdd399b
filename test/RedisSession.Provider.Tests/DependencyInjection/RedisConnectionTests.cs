using Microsoft.Extensions.Logging.Abstractions;
using Moq;

namespace RedisSession.Provider.Tests;

/// <summary>How a connection of the application is used: asked for once, again after a failure, and never closed.</summary>
internal sealed class RedisConnectionTests
{
    [Test]
    public async Task Factory_is_called_once_however_many_ask()
    {
        int calls = 0;
        var answer = new TaskCompletionSource<IConnectionMultiplexer>();
        await using var connection = Connection(() =>
        {
            Interlocked.Increment(ref calls);
            return answer.Task;
        });

        var asking = Enumerable.Range(0, 8).Select(_ => connection.GetDatabaseAsync().AsTask()).ToList();
        answer.SetResult(Multiplexer().Object);
        var databases = await Task.WhenAll(asking);
        Assert.That(connection.GetDatabaseAsync().AsTask().IsCompletedSuccessfully, Is.True, "it is there at once");
        Assert.That(calls, Is.EqualTo(1));
        Assert.That(databases.Append(await connection.GetDatabaseAsync()).Distinct(), Has.Exactly(1).Items);
    }

    [Test]
    public async Task Factory_that_failed_is_called_again_by_the_next_who_asks()
    {
        var error = new RedisConnectionException(ConnectionFailureType.UnableToConnect, CommandFlags.None, "away");
        var multiplexer = Multiplexer().Object;
        var answers = new Queue<Func<Task<IConnectionMultiplexer>>>(
        [
            () => Task.FromException<IConnectionMultiplexer>(error),
            () => throw error,
            () => Task.FromCanceled<IConnectionMultiplexer>(new(canceled: true)),
            () => Task.FromResult(multiplexer),
        ]);
        await using var connection = Connection(() => answers.Dequeue()());

        await Assert.ThatAsync(() => connection.GetDatabaseAsync().AsTask(), Throws.Exception.SameAs(error));
        await Assert.ThatAsync(() => connection.GetDatabaseAsync().AsTask(), Throws.Exception.SameAs(error));
        await Assert.ThatAsync(() => connection.GetDatabaseAsync().AsTask(), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(await connection.GetDatabaseAsync(), Is.SameAs(multiplexer.GetDatabase()));
    }

    [Test]
    public async Task Connection_of_the_application_is_not_closed_and_keeps_nothing_of_ours_after_the_end()
    {
        var multiplexer = Multiplexer();
        var connection = Connection(() => Task.FromResult(multiplexer.Object));
        await connection.GetDatabaseAsync();
        await connection.DisposeAsync();
        Assert.That(HandlersOf(multiplexer), Is.Zero);
        connection.Dispose();

        var calls = multiplexer.Invocations.Select(call => call.Method.Name);
        Assert.That(calls, Has.Some.EqualTo("add_ConnectionRestored"));
        Assert.That(calls, Has.None.StartsWith("Close").And.None.StartsWith("Dispose"));
    }

    // A connection that is made while the application ends.
    [Test]
    public async Task Connection_of_the_application_that_comes_after_the_end_keeps_nothing_of_ours()
    {
        var multiplexer = Multiplexer();
        var answer = new TaskCompletionSource<IConnectionMultiplexer>();
        var connection = Connection(() => answer.Task);
        var opening = connection.GetDatabaseAsync().AsTask();
        await connection.DisposeAsync();
        answer.SetResult(multiplexer.Object);
        await opening.ContinueWith(_ => { }, TaskScheduler.Default);

        Assert.That(HandlersOf(multiplexer), Is.Zero);
    }

    [Test]
    public async Task Nothing_is_opened_after_the_end()
    {
        bool called = false;
        var connection = Connection(() =>
        {
            called = true;
            return Task.FromResult(Multiplexer().Object);
        });
        await connection.DisposeAsync();

        await Assert.ThatAsync(() => connection.GetDatabaseAsync().AsTask(), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(called, Is.False);
    }

    // It is the client's own text, with the password in it unescaped, and cannot always be read back.
    [Test]
    public async Task Connection_is_used_whatever_its_configuration_looks_like(
        [Values("localhost:6379,password=a,asyncTimeout=hunter2", null)] string? configuration)
    {
        var multiplexer = Multiplexer(configuration).Object;
        await using var connection = Connection(() => Task.FromResult(multiplexer));
        Assert.That(await connection.GetDatabaseAsync(), Is.SameAs(multiplexer.GetDatabase()));
    }

    private static int HandlersOf(Mock<IConnectionMultiplexer> multiplexer) =>
        multiplexer.Invocations.Count(call => call.Method.Name.StartsWith("add_", StringComparison.Ordinal))
        - multiplexer.Invocations.Count(call => call.Method.Name.StartsWith("remove_", StringComparison.Ordinal));

    private static RedisConnection Connection(Func<Task<IConnectionMultiplexer>> factory)
    {
        var settings = RedisConnectionSettings.Of(new RedisHashSessionOptions { ConnectionMultiplexerFactory = factory });
        return new(settings, new ServiceCollection().BuildServiceProvider(), NullLogger<RedisConnection>.Instance);
    }

    private static Mock<IConnectionMultiplexer> Multiplexer(string? configuration = "localhost:6379")
    {
        var multiplexer = new Mock<IConnectionMultiplexer>();
        multiplexer.Setup(one => one.Configuration).Returns(configuration!);
        multiplexer.Setup(one => one.GetDatabase(It.IsAny<int>(), It.IsAny<object>())).Returns(Mock.Of<IDatabase>());
        return multiplexer;
    }
}
