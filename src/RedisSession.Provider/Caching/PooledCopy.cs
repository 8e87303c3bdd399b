using System.Buffers;

namespace RedisSession.Provider;

/// <summary>
/// A copy of a value on its way to Redis, in pooled memory. The caller may reuse the value as soon as the call has ended, but a call that
/// was cancelled or timed out ends while the client may still have to send it.
/// </summary>
internal readonly struct PooledCopy
{
    private readonly byte[] _array;
    private readonly int _length;

    private PooledCopy(byte[] array, int length) => (_array, _length) = (array, length);

    public ReadOnlyMemory<byte> Memory => new(_array, 0, _length);

    public static PooledCopy Of(ReadOnlySequence<byte> value)
    {
        int length = checked((int)value.Length);
        var copy = new PooledCopy(ArrayPool<byte>.Shared.Rent(length), length);
        value.CopyTo(copy._array);
        return copy;
    }

    /// <summary>Call only after Redis has replied: only then is it no longer read. Otherwise leave it to the garbage collector.</summary>
    public void Return() => ArrayPool<byte>.Shared.Return(_array);
}
