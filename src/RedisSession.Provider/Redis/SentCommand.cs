using System.Net;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// One command in flight. Completes when the client completes it, on the same thread, so that a thread waiting for it needs no other; but
/// if the connection was lost, or the server was not ready to run it, it is sent again.
/// </summary>
/// <remarks>
/// No copy leaves after it has completed or failed, or after its caller has given up: whoever waited for it may have changed more by then,
/// and the copy would undo that. So whether to send it again is decided in the same lock as its end, and so is the sending.
/// </remarks>
internal sealed class SentCommand<TCommand, T> : TaskCompletionSource<T>, IWaitingCommand
{
    // A command that breaks the connection each time is not sent for ever.
    private const int MostSends = 3;

    private readonly Outages _outages;
    private readonly IDatabase _database;
    private readonly RedisKey _key;
    private readonly TCommand _command;
    private readonly Func<TCommand, Task<T>> _send;
    private readonly bool _again;
    private readonly long _begun;
    private readonly Lock _gate = new();
    private long? _failed;
    private int _sends;
    private EndPoint? _server;
    private Exception? _last;
    private bool _isUnsent;
    private bool _isRefused; // by its server, which is connected and not ready

    private SentCommand(Outages outages, IDatabase database, RedisKey key, TCommand command, Func<TCommand, Task<T>> send, bool again)
        : base(new SentCommand(), TaskCreationOptions.RunContinuationsAsynchronously)
    {
        ((SentCommand)Task.AsyncState!).Command = this;
        (_outages, _database, _key, _command, _send, _again) = (outages, database, key, command, send, again);
        _begun = outages.Clock.Time.GetTimestamp();
    }

    private OutageClock Clock => _outages.Clock;

    private bool IsConnected => _database.IsConnected(_key, CommandFlags.DemandMaster);

    public static Task<T> Send(
        Outages outages, IDatabase database, RedisKey key, TCommand command, Func<TCommand, Task<T>> send, bool again)
    {
        var sent = new SentCommand<TCommand, T>(outages, database, key, command, send, again);
        lock (sent._gate)
        {
            if (!outages.Clock.IsAnyAway || sent.IsConnected) sent.Attempt();
            else sent.Wait();
        }

        return sent.Task;
    }

    /// <summary>Continues a command that was sent without this and has failed.</summary>
    public static Task<T> Recover(
        Outages outages, IDatabase database, RedisKey key, TCommand command, Func<TCommand, Task<T>> send, bool again, Exception error)
    {
        var sent = new SentCommand<TCommand, T>(outages, database, key, command, send, again) { _sends = 1 };
        lock (sent._gate) sent.Failed(error);
        return sent.Task;
    }

    public bool Look()
    {
        lock (_gate)
        {
            if (Task.IsCompleted) return true;
            if (IsOver)
            {
                TrySetException(TooLong);
                return true;
            }

            if (!IsConnected || IsRefusedStill) return false;

            // Commands that the client keeps for a server do not go to the one that replaces it.
            bool isElsewhere = _again && !Equals(_server, _outages.ServerOf(_key));
            if ((_isUnsent || isElsewhere) && _sends <= MostSends)
            {
                _isUnsent = _isRefused = false;
                _server = _outages.ServerOf(_key);
                Attempt();
            }

            return Task.IsCompleted;
        }
    }

    public void GiveUp()
    {
        lock (_gate) TrySetException(_last ?? _outages.TooLong());
    }

    /// <summary>Whether it has waited as long as it may: for the server's outage, for its own, and in total.</summary>
    private bool IsOver =>
        ((_isRefused || !IsConnected) && _server is { } server && Clock.Left(server) <= TimeSpan.Zero)
        || (_failed is { } failed && Clock.Time.GetElapsedTime(failed) >= Clock.Tolerance)
        || (_outages.IOTimeout > TimeSpan.Zero && Clock.Time.GetElapsedTime(_begun) >= _outages.IOTimeout);

    /// <summary>Its server is not ready yet, as far as is known, and no other has its key: asking again would only keep it busy.</summary>
    private bool IsRefusedStill =>
        _isRefused && _server is { } server && Clock.Left(server) is not null && server.Equals(_outages.ServerOf(_key));

    /// <summary>The server is available, and moves what the command is about.</summary>
    private bool IsAboutKeys => _last is RedisServerException { Kind: RedisErrorKind.TryAgain };

    private Exception TooLong => IsAboutKeys ? _last! : _outages.TooLong(_last);

    /// <summary>The server is unavailable.</summary>
    private void Wait()
    {
        _server = _outages.ServerOf(_key);
        if (_server is { } server) _outages.Begin(server);
        else _failed ??= Clock.Time.GetTimestamp();
        if (IsOver)
        {
            TrySetException(_outages.TooLong(_last));
            return;
        }

        Attempt(); // the client keeps it
        if (!Task.IsCompleted) _outages.Add(this);
    }

    private void Attempt()
    {
        _sends++;
        Task<T> reply;
        try
        {
            reply = _send(_command);
        }
        catch (Exception error)
        {
            Failed(error);
            return;
        }

        if (reply.IsCompleted)
        {
            Done(reply);
            return;
        }

        _ = reply.ContinueWith(
            static (done, sent) => ((SentCommand<TCommand, T>)sent!).Done(done),
            this,
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously | TaskContinuationOptions.DenyChildAttach | TaskContinuationOptions.HideScheduler,
            InlineScheduler.Instance);
    }

    private void Done(Task<T> reply)
    {
        if (reply.IsFaulted)
        {
            // Not here: the client may complete it on a thread that is sending something else, inside the lock of another session.
            ThreadPool.QueueUserWorkItem(
                static failed =>
                {
                    lock (failed.Command._gate) failed.Command.Failed(failed.Error);
                },
                (Command: this, Error: reply.Exception!.InnerException!),
                preferLocal: true);
            return;
        }

        lock (_gate)
        {
            if (reply.IsCanceled) TrySetCanceled();
            else TrySetResult(reply.Result);
        }
    }

    private void Failed(Exception error)
    {
        Primaries.LookAgainAfter(error, _database.Multiplexer);
        if (Task.IsCompleted) return;
        if (Sending.IsNotNow(error))
        {
            Refused(error);
            return;
        }

        var status = error switch
        {
            RedisConnectionException lost => lost.CommandStatus,
            RedisTimeoutException late => late.Commandstatus,
            _ => CommandStatus.Unknown,
        };
        bool isUnsent = status is CommandStatus.WaitingInBacklog or CommandStatus.WaitingToBeSent;
        if (!isUnsent && error is not RedisConnectionException)
        {
            TrySetException(error); // an answer, or none in time from a server that is there
            return;
        }

        if (!isUnsent && !_again)
        {
            TrySetException(MayHaveBeenMade((RedisConnectionException)error));
            return;
        }

        (_last, _failed) = (error, _failed ?? Clock.Time.GetTimestamp());
        if (isUnsent && !(_outages.KeepsCommands ?? status == CommandStatus.WaitingInBacklog))
        {
            TrySetException(error); // what the application has told its client to do
            return;
        }

        _server = _outages.ServerOf(_key);
        if (!IsConnected && _server is { } server) _outages.Begin(server);
        if (IsOver || _sends >= MostSends)
        {
            TrySetException(IsOver ? _outages.TooLong(error) : error);
            return;
        }

        if (isUnsent)
        {
            _isUnsent = true; // until there is a server to send it to
            _sends--;
            _outages.Add(this);
            return;
        }

        Attempt();
        if (!Task.IsCompleted) _outages.Add(this);
    }

    /// <summary>The server has not run it, so that it may be sent again whatever it does, and as often as it takes.</summary>
    private void Refused(Exception error)
    {
        (_last, _failed) = (error, _failed ?? Clock.Time.GetTimestamp());
        if (_outages.KeepsCommands is false)
        {
            TrySetException(error); // as the application has told its client: nothing waits
            return;
        }

        (_server, _isUnsent, _isRefused) = (_outages.ServerOf(_key), true, true);
        _sends--;
        if (!IsAboutKeys && _server is { } server) _outages.BeginRefusing(server, _database, _key);
        if (IsOver) TrySetException(TooLong);
        else _outages.Add(this);
    }

    private static RedisConnectionException MayHaveBeenMade(RedisConnectionException error) => new(
        error.FailureType,
        error.Flags,
        "The connection was lost before Redis answered. The change may have been applied; it is not sent again, because applying it twice "
        + "could have a different effect or reply.",
        error);
}

/// <summary>The state of a command's task, which tells it apart from the client's.</summary>
internal sealed class SentCommand
{
    public IWaitingCommand? Command { get; set; }

    /// <summary>Whether a task is that of such a command.</summary>
    public static bool Is(Task task) => task.AsyncState is SentCommand;

    /// <summary>Nobody waits for it any more: no copy of the command is sent from now on.</summary>
    public static void GiveUp(Task task) => (task.AsyncState as SentCommand)?.Command?.GiveUp();
}
