using Microsoft.Extensions.Caching.Distributed;
using NUnit.Framework.Constraints;

namespace RedisSession.Provider.Tests;

/// <summary>What RedisCache does, proven on it and on ours. What differs on purpose is in <see cref="CacheDifferenceTests"/>.</summary>
[TestFixtureSource(typeof(CacheStack), nameof(CacheStack.All))]
internal sealed class CacheContractTests(CacheStack stack) : CacheFixture(stack)
{
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(30); // a loaded machine is slow

    [Test]
    public async Task What_was_set_is_got([Values] CacheAccess set, [Values] CacheAccess get) =>
        Assert.That(await get.GetAsync(Cache, await NewEntryAsync(FromNow(TenMinutes), set)), Is.EqualTo(Value));

    [Test]
    public async Task What_was_never_set_is_not_there([Values] CacheAccess access) =>
        Assert.That(await access.GetAsync(Cache, NewKey()), Is.Null);

    [Test]
    public async Task A_value_can_be_replaced([Values] CacheAccess access)
    {
        string key = NewKey();
        await access.SetAsync(Cache, key, [9, 9, 9, 9], FromNow(TenMinutes));
        await access.SetAsync(Cache, key, Value, FromNow(TenMinutes));
        Assert.That(await access.GetAsync(Cache, key), Is.EqualTo(Value));
    }

    [Test]
    public async Task A_removed_entry_is_gone([Values] CacheAccess access)
    {
        string key = await NewEntryAsync(FromNow(TenMinutes), access);
        await access.RemoveAsync(Cache, key);
        Assert.That(await access.GetAsync(Cache, key), Is.Null);
        Assert.That(await Redis.KeyExistsAsync(KeyOf(key)), Is.False);
    }

    [Test]
    public async Task Removing_or_refreshing_what_is_not_there_does_nothing([Values] CacheAccess access)
    {
        string key = NewKey();
        await access.RemoveAsync(Cache, key);
        await access.RefreshAsync(Cache, key);
        Assert.That(await Redis.KeyExistsAsync(KeyOf(key)), Is.False);
    }

    [Test]
    public async Task Values_may_be_empty_or_large([Values] CacheAccess access, [Values(0, 1, 4096, 4097, 5 * 1024 * 1024)] int length)
    {
        string key = NewKey();
        byte[] value = new byte[length];
        new Random(length).NextBytes(value);
        await access.SetAsync(Cache, key, value, FromNow(TenMinutes));
        byte[]? found = await access.GetAsync(Cache, key);
        Assert.That(found, Has.Length.EqualTo(length));
        Assert.That(found.AsSpan().SequenceEqual(value)); // which is a thousand times faster than Is.EqualTo
        await access.RemoveAsync(Cache, key);
    }

    // Escaped: with a NUL in its name, a test is silently left out wherever "dotnet test" is given a filter.
    private static IEnumerable<TestCaseData> Keys =>
        from key in (string[])
        [
            "", " ", "a:b", "Key", "key", "ключ", "鍵", "🔑", "line\nbreak", "nul\0inside", "quote\"'`", "{braces}", "\ud800",
            new('k', 10_000),
        ]
        let escaped = key.Select(c => char.IsAscii(c) && !char.IsControl(c) ? $"{c}" : $"\\u{(int)c:x4}")
        select new TestCaseData(key).SetArgDisplayNames(key.Length > 100 ? "long" : string.Concat(escaped));

    [TestCaseSource(nameof(Keys))]
    public async Task Keys_may_have_any_content(string key)
    {
        byte[] value = Encoding.UTF8.GetBytes("value of " + key);
        await Cache.SetAsync(key, value, FromNow(TenMinutes));
        Assert.That(await Cache.GetAsync(key), Is.EqualTo(value));
        Assert.That(await Redis.KeyExistsAsync(KeyOf(key)), Is.True);
        await Cache.RemoveAsync(key);
        Assert.That(await Redis.KeyExistsAsync(KeyOf(key)), Is.False);
    }

    [Test]
    public async Task An_entry_without_expiration_has_no_TTL_and_says_so([Values] CacheAccess access, [Values(10, 10_000)] int length)
    {
        string key = NewKey();
        await access.SetAsync(Cache, key, new byte[length], Never);
        Assert.That(await FieldsAsync(key), Is.EqualTo(("-1", "-1")));
        await access.GetAsync(Cache, key);
        await access.RefreshAsync(Cache, key);
        Assert.That(await TimeToLiveAsync(key), Is.Null);
        Assert.That(await access.GetAsync(Cache, key), Has.Length.EqualTo(length));
        await access.RemoveAsync(Cache, key);
    }

    [Test]
    public async Task An_entry_is_a_hash_of_three_fields()
    {
        string key = await NewEntryAsync(Sliding(TenMinutes));
        var fields = await Redis.HashGetAllAsync(KeyOf(key));
        Assert.That(fields.Select(field => field.Name.ToString()), Is.EquivalentTo(["absexp", "sldexp", "data"]));
        Assert.That((byte[]?)fields.Single(field => field.Name == "data").Value, Is.EqualTo(Value));
    }

    [Test]
    public async Task An_absolute_expiration_is_kept_in_ticks_and_is_the_TTL([Values] CacheAccess access)
    {
        var end = DateTimeOffset.UtcNow + TenMinutes;
        string key = await NewEntryAsync(new() { AbsoluteExpiration = end }, access);
        Assert.That(await FieldsAsync(key), Is.EqualTo(($"{end.Ticks}", "-1")));
        Assert.That(await TimeToLiveAsync(key), Is.EqualTo(TenMinutes).Within(Tolerance));
    }

    [Test]
    public async Task An_expiration_from_now_is_kept_as_an_absolute_one([Values] CacheAccess access)
    {
        var before = DateTimeOffset.UtcNow;
        string key = await NewEntryAsync(FromNow(TenMinutes), access);
        var end = new DateTimeOffset(long.Parse((await FieldAsync(key, "absexp"))!, CultureInfo.InvariantCulture), TimeSpan.Zero);
        Assert.That(end, Is.InRange(before + TenMinutes, DateTimeOffset.UtcNow + TenMinutes));
        Assert.That(await FieldAsync(key, "sldexp"), Is.EqualTo("-1"));
        Assert.That(await TimeToLiveAsync(key), Is.EqualTo(TenMinutes).Within(Tolerance));
    }

    [Test]
    public async Task Of_a_time_and_one_from_now_the_latter_counts()
    {
        string key = await NewEntryAsync(
            new() { AbsoluteExpiration = DateTimeOffset.UtcNow.AddDays(1), AbsoluteExpirationRelativeToNow = TenMinutes });
        Assert.That(await TimeToLiveAsync(key), Is.EqualTo(TenMinutes).Within(Tolerance));
    }

    [Test]
    public async Task A_sliding_expiration_is_kept_in_ticks_and_is_the_TTL([Values] CacheAccess access)
    {
        string key = await NewEntryAsync(Sliding(TenMinutes), access);
        Assert.That(await FieldsAsync(key), Is.EqualTo(("-1", $"{TenMinutes.Ticks}")));
        Assert.That(await TimeToLiveAsync(key), Is.EqualTo(TenMinutes).Within(Tolerance));
    }

    [TestCase(10, 60, 10), TestCase(60, 10, 10)]
    public async Task Of_both_the_nearer_is_the_TTL(int sliding, int absolute, int expected)
    {
        string key = await NewEntryAsync(Both(TimeSpan.FromMinutes(sliding), TimeSpan.FromMinutes(absolute)));
        Assert.That(await TimeToLiveAsync(key), Is.EqualTo(TimeSpan.FromMinutes(expected)).Within(Tolerance));
    }

    [Test]
    public async Task A_get_or_a_refresh_gives_a_sliding_entry_its_time_again([Values] CacheAccess access, [Values] bool refresh)
    {
        string key = await NewEntryAsync(Sliding(TenMinutes), access);
        await AgeAsync(key, TimeSpan.FromMinutes(1));
        await UseAsync(key, access, refresh);
        Assert.That(await TimeToLiveAsync(key), Is.EqualTo(TenMinutes).Within(Tolerance));
        Assert.That(await access.GetAsync(Cache, key), Is.EqualTo(Value));
    }

    [Test]
    public async Task Neither_moves_an_absolute_expiration([Values] CacheAccess access)
    {
        string key = await NewEntryAsync(FromNow(TenMinutes), access);
        await AgeAsync(key, TimeSpan.FromMinutes(1));
        await access.GetAsync(Cache, key);
        await access.RefreshAsync(Cache, key);
        Assert.That(await TimeToLiveAsync(key), Is.LessThanOrEqualTo(TimeSpan.FromMinutes(1)));
    }

    [Test]
    public async Task Neither_goes_past_the_absolute_end_of_a_sliding_entry([Values] CacheAccess access, [Values] bool refresh)
    {
        string key = await NewEntryAsync(Both(sliding: TenMinutes, absolute: TimeSpan.FromMinutes(15)), access);

        // Ten minutes later: five are left.
        await Redis.HashSetAsync(KeyOf(key), "absexp", DateTimeOffset.UtcNow.AddMinutes(5).Ticks);
        await AgeAsync(key, TimeSpan.FromMinutes(1));
        await UseAsync(key, access, refresh);
        Assert.That(await TimeToLiveAsync(key), Is.EqualTo(TimeSpan.FromMinutes(5)).Within(Tolerance));
    }

    private static IEnumerable<TestCaseData> ShortExpirations()
    {
        yield return new TestCaseData(FromNow(TimeSpan.FromSeconds(1))).SetArgDisplayNames("from now");
        yield return new TestCaseData(Sliding(TimeSpan.FromSeconds(1))).SetArgDisplayNames("sliding");
        yield return new TestCaseData(Both(TimeSpan.FromSeconds(1), TenMinutes)).SetArgDisplayNames("sliding, absolute");
        yield return new TestCaseData(Both(TenMinutes, TimeSpan.FromSeconds(1))).SetArgDisplayNames("absolute, sliding");
    }

    [TestCaseSource(nameof(ShortExpirations))]
    public async Task An_entry_that_nobody_uses_goes_by_itself(DistributedCacheEntryOptions options)
    {
        string key = await NewEntryAsync(options);
        Assert.That(async () => await Redis.KeyExistsAsync(KeyOf(key)), Is.False.After(10_000, 20));
        Assert.That(await Cache.GetAsync(key), Is.Null);
    }

    [Test]
    public async Task A_set_replaces_expirations_too([Values] CacheAccess access, [Values(10, 10_000)] int length)
    {
        string key = await NewEntryAsync(Both(TenMinutes, TimeSpan.FromMinutes(5)), access);
        await access.SetAsync(Cache, key, new byte[length], Sliding(TimeSpan.FromHours(1)));
        Assert.That(await FieldsAsync(key), Is.EqualTo(("-1", $"{TimeSpan.FromHours(1).Ticks}")));
        Assert.That(await TimeToLiveAsync(key), Is.EqualTo(TimeSpan.FromHours(1)).Within(Tolerance));
    }

    [Test]
    public async Task An_absolute_expiration_that_has_passed_is_refused([Values] CacheAccess access)
    {
        string key = NewKey();
        Assert.That(
            () => access.SetAsync(Cache, key, Value, new() { AbsoluteExpiration = DateTimeOffset.UtcNow.AddSeconds(-1) }),
            Throws.InstanceOf<ArgumentOutOfRangeException>().With.Property("ParamName").EqualTo("AbsoluteExpiration"));
        Assert.That(await Redis.KeyExistsAsync(KeyOf(key)), Is.False);
    }

    [Test]
    public void An_expiration_past_the_end_of_time_is_refused([Values] CacheAccess access) => Assert.That(
        () => access.SetAsync(Cache, NewKey(), Value, FromNow(TimeSpan.MaxValue)), Throws.InstanceOf<ArgumentOutOfRangeException>());

    [Test]
    public void Null_arguments_are_refused([Values] CacheAccess access)
    {
        Assert.That(async () => await access.GetAsync(Cache, null!), ThrowsNull.Of("key"));
        Assert.That(async () => await access.SetAsync(Cache, null!, Value, Never), ThrowsNull.Of("key"));
        Assert.That(async () => await access.SetAsync(Cache, NewKey(), Value, null!), ThrowsNull.Of("options"));
        Assert.That(async () => await access.RefreshAsync(Cache, null!), ThrowsNull.Of("key"));
        Assert.That(async () => await access.RemoveAsync(Cache, null!), ThrowsNull.Of("key"));
        Assert.That(() => Cache.Set(NewKey(), null!, Never), Throws.ArgumentNullException);
        Assert.That(async () => await Cache.SetAsync(NewKey(), null!, Never), Throws.ArgumentNullException);
    }

    [Test]
    public async Task A_token_that_is_cancelled_already_ends_every_call()
    {
        string key = NewKey();
        var cancelled = new CancellationToken(canceled: true);
        var writer = new System.Buffers.ArrayBufferWriter<byte>();
        Assert.That(async () => await Cache.GetAsync(key, cancelled), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(async () => await Cache.TryGetAsync(key, writer, cancelled), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(async () => await Cache.SetAsync(key, Value, Never, cancelled), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(
            async () => await Cache.SetAsync(key, CacheAccessExtensions.InPieces(Value), Never, cancelled),
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That(async () => await Cache.RefreshAsync(key, cancelled), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(async () => await Cache.RemoveAsync(key, cancelled), Throws.InstanceOf<OperationCanceledException>());

        Assert.That(await Redis.KeyExistsAsync(KeyOf(key)), Is.False);
    }

    [Test]
    public async Task What_is_no_hash_is_neither_read_nor_refreshed([Values] CacheAccess access)
    {
        string key = NewKey();
        await Redis.StringSetAsync(KeyOf(key), "somebody's", TenMinutes);
        Assert.That(async () => await access.GetAsync(Cache, key), WrongType());
        Assert.That(async () => await access.RefreshAsync(Cache, key), WrongType());
        Assert.That((string?)await Redis.StringGetAsync(KeyOf(key)), Is.EqualTo("somebody's"));
    }

    [Test]
    public async Task A_disposed_cache_serves_nobody([Values] CacheAccess access)
    {
        await using var running = await Stack.StartAsync();
        var cache = running.Cache;
        await access.GetAsync(cache, "key");
        ((IDisposable)cache).Dispose();
        Assert.That(async () => await access.GetAsync(cache, "key"), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(async () => await access.SetAsync(cache, "key", Value, Never), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(async () => await access.RefreshAsync(cache, "key"), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(async () => await access.RemoveAsync(cache, "key"), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(((IDisposable)cache).Dispose, Throws.Nothing);
    }

    private static DistributedCacheEntryOptions Both(TimeSpan sliding, TimeSpan absolute) =>
        new() { SlidingExpiration = sliding, AbsoluteExpirationRelativeToNow = absolute };

    private async Task UseAsync(string key, CacheAccess access, bool refresh)
    {
        if (refresh) await access.RefreshAsync(Cache, key);
        else Assert.That(await access.GetAsync(Cache, key), Is.EqualTo(Value));
    }

    private static ContainsConstraint WrongType() => Throws.InstanceOf<RedisServerException>().With.Message.Contains("WRONGTYPE");

    private async Task<(string? Absolute, string? Sliding)> FieldsAsync(string key) =>
        (await FieldAsync(key, "absexp"), await FieldAsync(key, "sldexp"));
}
