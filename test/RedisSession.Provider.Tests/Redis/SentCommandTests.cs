using Microsoft.Extensions.Time.Testing;
using Moq;

namespace RedisSession.Provider.Tests;

/// <summary>
/// When a command is sent again. Whoever waits for it goes on to change more once it has completed, so that no copy may leave after that:
/// it would undo the newer change.
/// </summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class SentCommandTests : IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);
    private static readonly RedisConnectionException Lost =
        new(ConnectionFailureType.SocketClosed, CommandFlags.None, "lost with the connection", null, CommandStatus.Sent);

    private static readonly RedisConnectionException Unsent =
        new(ConnectionFailureType.UnableToConnect, CommandFlags.None, "not sent", null, CommandStatus.WaitingInBacklog);

    private static readonly RedisServerException Loading = new(RedisErrorKind.Loading, CommandFlags.None, "LOADING");

    private readonly FakeTimeProvider _time = new();
    private readonly Mock<IServer> _server = new();
    private readonly Mock<IConnectionMultiplexer> _multiplexer = new();
    private readonly Mock<IDatabase> _database = new();
    private readonly List<TaskCompletionSource<string>> _copies = [];
    private readonly Outages _outages;
    private Action _whileSending = () => { };

    public SentCommandTests()
    {
        _server.Setup(it => it.IsConnected).Returns(true);
        _server.Setup(it => it.EndPoint).Returns(new DnsEndPoint("one", 6379));
        _multiplexer.Setup(it => it.GetServers()).Returns([_server.Object]);
        _database.Setup(it => it.Multiplexer).Returns(_multiplexer.Object);
        _database.Setup(it => it.IsConnected(It.IsAny<RedisKey>(), It.IsAny<CommandFlags>())).Returns(() => _server.Object.IsConnected);
        _outages = Outages.Watch(
            _multiplexer.Object, new(TimeSpan.FromSeconds(5), _time), Timeout.InfiniteTimeSpan, keepsCommands: true, _time.GetTimestamp())!;
    }

    [Test]
    public async Task Lost_with_a_connection_that_is_back_it_is_sent_once_more_and_no_second_time_while_that_is_in_flight()
    {
        var reply = Recover();
        for (int i = 0; i < 10; i++) _time.Advance(Tick);
        Assert.That(_copies, Has.Count.EqualTo(1));

        _copies[0].SetResult("it");
        Assert.That(await reply, Is.EqualTo("it"));
    }

    [Test]
    public async Task A_reply_that_arrives_while_a_copy_is_sent_completes_the_command_after_that()
    {
        var reply = Recover();
        bool wasCompleted = false;
        _whileSending = () =>
        {
            var replying = Task.Run(() => _copies[0].SetResult("it"));
            replying.Wait(TimeSpan.FromMilliseconds(200)); // longer than it takes if nothing holds it up
            wasCompleted = reply.IsCompleted;
        };
        _server.Setup(it => it.EndPoint).Returns(new DnsEndPoint("another", 6379)); // which replaces the first
        _time.Advance(Tick);

        Assert.That((_copies.Count, wasCompleted), Is.EqualTo((2, false)));
        Assert.That(await reply, Is.EqualTo("it"));
    }

    [Test]
    public async Task It_fails_only_after_a_copy_that_is_being_sent()
    {
        var reply = Recover();
        var whileSending = new TaskCompletionSource<bool>();
        _whileSending = () =>
        {
            Task.Run(() => _time.Advance(TimeSpan.FromSeconds(5))).Wait(TimeSpan.FromMilliseconds(200));
            whileSending.TrySetResult(reply.IsCompleted);
        };
        _copies[0].SetException(Lost);

        Assert.That((await whileSending.Task.WaitAsync(Until.Patience), _copies.Count), Is.EqualTo((false, 2)));
        Assert.That(async () => await reply.WaitAsync(Until.Patience), Throws.TypeOf<RedisConnectionException>());
    }

    [Test]
    public async Task Once_its_caller_has_given_up_it_is_not_sent_again([Values] bool isCancelled)
    {
        _server.Setup(it => it.IsConnected).Returns(false);
        var reply = Recover();
        using var cancellation = new CancellationTokenSource();
        var waiting = Waiting.Within(isCancelled ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(1), cancellation.Token).ForAsync(reply);
        if (isCancelled) await cancellation.CancelAsync();
        Assert.That(async () => await waiting.WaitAsync(Until.Patience), Throws.InstanceOf<OperationCanceledException>());

        int copies = _copies.Count;
        foreach (var copy in _copies.ToList()) copy.SetException(Unsent);
        _server.Setup(it => it.IsConnected).Returns(true);
        for (int i = 0; i < 10; i++) _time.Advance(Tick);
        Assert.That(_copies, Has.Count.EqualTo(copies));
    }

    [TestCaseSource(nameof(NotNow))]
    public async Task What_a_server_has_not_run_is_sent_again_as_often_as_it_takes_even_if_it_would_count_twice(Exception notNow)
    {
        var reply = Recover(notNow, again: false);
        const int Often = 10;
        for (int i = 0; i < Often; i++)
        {
            await UntilSentAsync(i + 1);
            _copies[i].SetException(notNow);
        }

        await UntilSentAsync(Often + 1);
        _copies[Often].SetResult("it");
        Assert.That(await reply.WaitAsync(Until.Patience), Is.EqualTo("it"));

        Task UntilSentAsync(int copies) => Until.TrueAsync("it is sent again", () =>
        {
            _time.Advance(Tick / 5); // and not past the end of the tolerance while a failure is on its way
            return _copies.Count == copies;
        });
    }

    [Test]
    public void A_server_that_is_connected_and_not_ready_is_away_for_no_longer_than_the_tolerance()
    {
        _database.Setup(it => it.HashGetAsync(It.IsAny<RedisKey>(), It.IsAny<RedisValue>(), It.IsAny<CommandFlags>())).ThrowsAsync(Loading);
        var first = Recover(Loading);
        _time.Advance(TimeSpan.FromSeconds(4));
        var later = Recover(Loading);
        Assert.That((first.IsCompleted, later.IsCompleted, _copies.Count), Is.EqualTo((false, false, 0)));

        _time.Advance(TimeSpan.FromSeconds(1));
        foreach (var reply in (Task[])[first, later, Recover(Loading)])
            Assert.That(async () => await reply.WaitAsync(Until.Patience), Throws.TypeOf<RedisConnectionException>());
        Assert.That(_copies, Is.Empty);
    }

    public void Dispose() => _outages.Dispose();

    private static Exception[] NotNow() =>
    [
        Loading,
        new RedisServerException(RedisErrorKind.ClusterDown, CommandFlags.None, "CLUSTERDOWN"),
        new RedisServerException(RedisErrorKind.TryAgain, CommandFlags.None, "TRYAGAIN"),
        new RedisConnectionException(ConnectionFailureType.Loading, CommandFlags.None, "loading", null, CommandStatus.Sent),
    ];

    private Task<string> Recover(Exception? error = null, bool again = true) =>
        SentCommand<object?, string>.Recover(_outages, _database.Object, "key", null, Send, again, error ?? Lost);

    private Task<string> Send(object? command)
    {
        var copy = new TaskCompletionSource<string>();
        _copies.Add(copy);
        _whileSending();
        return copy.Task;
    }
}
