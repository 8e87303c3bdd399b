using System.Buffers;
using Microsoft.Extensions.Caching.Distributed;

namespace RedisSession.Provider.Tests;

/// <summary>The four ways to the same thing that a distributed cache has.</summary>
internal enum CacheAccess { Synchronous, Asynchronous, SynchronousBuffers, AsynchronousBuffers }

internal static class CacheAccessExtensions
{
    /// <summary>For ten minutes since the last use.</summary>
    public static DistributedCacheEntryOptions TenMinutes { get; } = new() { SlidingExpiration = TimeSpan.FromMinutes(10) };

    public static async Task<byte[]?> GetAsync(this CacheAccess access, IBufferDistributedCache cache, string key)
    {
        var writer = new ArrayBufferWriter<byte>();
        return access switch
        {
            CacheAccess.Synchronous => cache.Get(key),
            CacheAccess.Asynchronous => await cache.GetAsync(key),
            CacheAccess.SynchronousBuffers => Written(cache.TryGet(key, writer)),
            _ => Written(await cache.TryGetAsync(key, writer)),
        };

        byte[]? Written(bool found)
        {
            if (!found) Assert.That(writer.WrittenCount, Is.Zero, "nothing is written when nothing is found");
            return found ? writer.WrittenSpan.ToArray() : null;
        }
    }

    public static Task SetAsync(
        this CacheAccess access, IBufferDistributedCache cache, string key, byte[] value, DistributedCacheEntryOptions options) =>
        access switch
        {
            CacheAccess.Synchronous => Blocking(() => cache.Set(key, value, options)),
            CacheAccess.Asynchronous => cache.SetAsync(key, value, options),
            CacheAccess.SynchronousBuffers => Blocking(() => cache.Set(key, InPieces(value), options)),
            _ => cache.SetAsync(key, InPieces(value), options).AsTask(),
        };

    public static Task RefreshAsync(this CacheAccess access, IBufferDistributedCache cache, string key) =>
        access.Blocks() ? Blocking(() => cache.Refresh(key)) : cache.RefreshAsync(key);

    public static Task RemoveAsync(this CacheAccess access, IBufferDistributedCache cache, string key) =>
        access.Blocks() ? Blocking(() => cache.Remove(key)) : cache.RemoveAsync(key);

    /// <summary>A call that has been made when it returns.</summary>
    public static Task Blocking(Action call)
    {
        call();
        return Task.CompletedTask;
    }

    private static bool Blocks(this CacheAccess access) => access is CacheAccess.Synchronous or CacheAccess.SynchronousBuffers;

    /// <summary>A sequence of several segments, as buffers that grow make it.</summary>
    public static ReadOnlySequence<byte> InPieces(byte[] value)
    {
        if (value.Length < 2) return new(value);
        int half = value.Length / 2;
        var first = new Segment(value.AsMemory(0, half), 0);
        var second = new Segment(value.AsMemory(half), half);
        first.Continue(second);
        return new(first, 0, second, value.Length - half);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long start) => (Memory, RunningIndex) = (memory, start);

        public void Continue(Segment next) => Next = next;
    }
}
