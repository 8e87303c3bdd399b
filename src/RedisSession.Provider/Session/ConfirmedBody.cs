using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;

namespace RedisSession.Provider;

/// <summary>
/// Stands in front of the response body with <see cref="FailureMode.Throw"/>. Before the first byte, the request's changes are confirmed,
/// and a failure is thrown to the writer; what was written into the pipe until then is dropped. Throwing it from a response-start callback
/// would be too late: the server gives up on such a response, and no error page can be shown.
/// </summary>
internal sealed class ConfirmedBody(RequestHolder request, SessionState state, Func<Task> confirm, IHttpResponseBodyFeature inner)
    : Stream, IHttpResponseBodyFeature
{
    private ConfirmedWriter? _writer;
    private List<Handover>? _writes; // that had to wait: one, if each was awaited
    private bool _isConfirmed;

    public Stream Stream => this;

    public PipeWriter Writer => _writer ??= new(this, inner.Writer);

    private bool IsConfirmed => _isConfirmed || state.AreChangesConfirmed;

    // What a middleware further out has put in place of the server's stream can do more than be written to.
    public override bool CanRead => inner.Stream.CanRead;

    public override bool CanSeek => inner.Stream.CanSeek;

    public override bool CanWrite => inner.Stream.CanWrite;

    public override long Length => inner.Stream.Length;

    public override long Position
    {
        get => inner.Stream.Position;
        set => inner.Stream.Position = value;
    }

    /// <summary>The request's changes are confirmed: passes on what was written into the pipe and not flushed.</summary>
    public void PassOn() => _writer?.PassOn();

    /// <summary>Waits until the writes that had to wait are done, whether they were awaited or not.</summary>
    public Task LeaveAsync(IFeatureCollection features)
    {
        if (features.Get<IHttpResponseBodyFeature>() == this) features.Set(inner);
        return _writes is null ? Task.CompletedTask : Task.WhenAll(_writes.Select(write => write.OverAsync()));
    }

    public Task StartAsync(CancellationToken cancellationToken = default) =>
        _isConfirmed ? inner.StartAsync(cancellationToken) : AfterConfirming(() => new(inner.StartAsync(cancellationToken)));

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) => _isConfirmed
        ? inner.SendFileAsync(path, offset, count, cancellationToken)
        : AfterConfirming(() => new(inner.SendFileAsync(path, offset, count, cancellationToken)));

    public Task CompleteAsync() => _isConfirmed ? inner.CompleteAsync() : AfterConfirming(() => new(inner.CompleteAsync()));

    public void DisableBuffering() => inner.DisableBuffering();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => _isConfirmed
        ? inner.Stream.WriteAsync(buffer, cancellationToken)
        : new(AfterConfirming(() => inner.Stream.WriteAsync(buffer, cancellationToken)));

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => _isConfirmed
        ? inner.Stream.FlushAsync(cancellationToken)
        : AfterConfirming(() => new(inner.Stream.FlushAsync(cancellationToken)));

    // A synchronous write blocks on the start of the response, which reports a failure.
    public override void Write(byte[] buffer, int offset, int count)
    {
        _writer?.PassOn();
        inner.Stream.Write(buffer, offset, count);
    }

    public override void Flush()
    {
        _writer?.PassOn();
        inner.Stream.Flush();
    }

    public override IAsyncResult BeginWrite(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state) =>
        TaskToAsyncResult.Begin(WriteAsync(buffer, offset, count, CancellationToken.None), callback, state);

    public override void EndWrite(IAsyncResult asyncResult) => TaskToAsyncResult.End(asyncResult);

    public override int Read(byte[] buffer, int offset, int count) => inner.Stream.Read(buffer, offset, count);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        inner.Stream.ReadAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override long Seek(long offset, SeekOrigin origin) => inner.Stream.Seek(offset, origin);

    public override void SetLength(long value) => inner.Stream.SetLength(value);

    private Task AfterConfirming(Func<ValueTask> write)
    {
        var writing = ConfirmAndWriteAsync();
        if (writing.IsCompleted) return writing;
        var handover = new Handover(writing, request);
        (_writes ??= []).Add(handover);
        return handover.Task;

        async Task ConfirmAndWriteAsync()
        {
            try
            {
                await confirm().ConfigureAwait(false);
            }
            catch (Exception)
            {
                _writer?.Drop();
                throw;
            }

            _writer?.PassOn();
            _isConfirmed = true;
            await write().ConfigureAwait(false);
        }
    }

    /// <summary>Keeps what is written until the changes are confirmed: nothing can be taken back from the server's own pipe.</summary>
    private sealed class ConfirmedWriter(ConfirmedBody body, PipeWriter inner) : PipeWriter
    {
        private ArrayBufferWriter<byte>? _kept;
        private int _passedOn; // how much of that the inner one has
        private bool _isLent; // memory of that, and what is written there comes with the next Advance
        private IBufferWriter<byte> _lender = inner;

        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

        public override long UnflushedBytes => inner.UnflushedBytes + (_kept?.WrittenCount ?? 0) - _passedOn;

        public override Memory<byte> GetMemory(int sizeHint = 0) => Lend().GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => Lend().GetSpan(sizeHint);

        public override void Advance(int bytes)
        {
            _lender.Advance(bytes);
            Return();
        }

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null)
        {
            PassOn();
            inner.Complete(exception);
        }

        public void PassOn()
        {
            if (_kept is not { } kept) return;
            if (kept.WrittenCount > _passedOn) inner.Write(kept.WrittenSpan[_passedOn..]);
            _passedOn = kept.WrittenCount;
            if (!_isLent) Drop();
        }

        public void Drop() => (_kept, _passedOn) = (null, 0);

        private IBufferWriter<byte> Lend()
        {
            Return();
            if (_kept is null && !body.IsConfirmed) _kept = new();
            _isLent = _kept is not null;
            return _lender = (IBufferWriter<byte>?)_kept ?? inner;
        }

        /// <summary>Nobody writes to what was lent any more.</summary>
        private void Return()
        {
            _isLent = false;
            if (body.IsConfirmed) PassOn();
        }

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            return body._isConfirmed ? inner.FlushAsync(cancellationToken) : FlushConfirmedAsync();

            async ValueTask<FlushResult> FlushConfirmedAsync()
            {
                FlushResult result = default;
                await body.AfterConfirming(async () => result = await inner.FlushAsync(cancellationToken).ConfigureAwait(false))
                    .ConfigureAwait(false);
                return result;
            }
        }
    }
}
