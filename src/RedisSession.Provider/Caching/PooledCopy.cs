using System.Buffers;

namespace RedisSession.Provider;

/// <summary>
/// A copy of a value on its way to Redis, in memory of the pool. The value is the caller's again as soon as the call has ended, and a call
/// that was cancelled or timed out ends while the client may still have to send it.
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

    /// <summary>Only once Redis has answered: then nobody reads it any more. Otherwise it is left to the garbage collector.</summary>
    public void Return() => ArrayPool<byte>.Shared.Return(_array);
}
