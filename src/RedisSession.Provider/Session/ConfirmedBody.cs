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

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

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

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

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
        private IBufferWriter<byte> _lender = inner; // of the memory that is written to now

        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

        public override long UnflushedBytes => inner.UnflushedBytes + (_kept?.WrittenCount ?? 0);

        public override Memory<byte> GetMemory(int sizeHint = 0) => Lend().GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => Lend().GetSpan(sizeHint);

        public override void Advance(int bytes) => _lender.Advance(bytes);

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null)
        {
            PassOn();
            inner.Complete(exception);
        }

        public void PassOn()
        {
            if (_kept is not { } kept) return;
            _kept = null;
            inner.Write(kept.WrittenSpan);
        }

        public void Drop() => _kept = null;

        private IBufferWriter<byte> Lend()
        {
            if (_kept is null && !body.IsConfirmed) _kept = new();
            return _lender = (IBufferWriter<byte>?)_kept ?? inner;
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
