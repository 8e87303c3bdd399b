namespace RedisSession.Provider.Tests;

/// <summary>What is not as in RedisCache, by name and with both sides. All else is in <see cref="CacheContractTests"/>.</summary>
[TestFixtureSource(typeof(CacheStack), nameof(CacheStack.All))]
internal sealed class CacheDifferenceTests(CacheStack stack) : CacheFixture(stack)
{
    [Test]
    public async Task A_set_without_expiration_ends_the_TTL_of_the_entry_before_it(
        [Values] CacheAccess access, [Values(10, 10_000)] int length)
    {
        string key = await NewEntryAsync(FromNow(TenMinutes), access);
        await access.SetAsync(Cache, key, new byte[length], Never);
        Assert.That(await TimeToLiveAsync(key), Stack.IsStock ? Is.Not.Null : Is.Null);
        await access.RemoveAsync(Cache, key);
    }

    [Test]
    public async Task Nothing_of_the_entry_before_stays([Values(10, 10_000)] int length)
    {
        string key = await NewEntryAsync(Sliding(TenMinutes));
        await Redis.HashSetAsync(KeyOf(key), "of another version", "1");
        await Cache.SetAsync(key, new byte[length], Sliding(TenMinutes));
        Assert.That(await FieldAsync(key, "of another version"), Stack.IsStock ? Is.EqualTo("1") : Is.Null);
    }

    // There the set is an error, and the key gets the TTL of the entry all the same.
    [Test]
    public async Task What_is_no_hash_is_replaced_by_a_set([Values] CacheAccess access, [Values(10, 10_000)] int length)
    {
        string key = NewKey();
        await Redis.StringSetAsync(KeyOf(key), "somebody's");
        if (Stack.IsStock)
        {
            Assert.That(
                async () => await access.SetAsync(Cache, key, new byte[length], Sliding(TenMinutes)),
                Throws.InstanceOf<RedisServerException>().Or.InstanceOf<AggregateException>());
            Assert.That(async () => await TimeToLiveAsync(key), Is.Not.Null.After(5000, 5));
        }
        else
        {
            await access.SetAsync(Cache, key, new byte[length], Sliding(TenMinutes));
            Assert.That(await access.GetAsync(Cache, key), Has.Length.EqualTo(length));
        }
    }

    // There a part of a second is cut off, and an entry for less than one is gone at once.
    [Test]
    public async Task Milliseconds_count([Values] CacheAccess access, [Values] bool sliding)
    {
        var time = TimeSpan.FromMilliseconds(900);
        int seen = 0;
        for (int round = 0; round < 10; round++) // a loaded machine may be too late to see it
        {
            string key = NewKey();
            await access.SetAsync(Cache, key, Value, sliding ? Sliding(time) : FromNow(time));
            var left = await TimeToLiveAsync(key);
            Assert.That(left, Is.Null.Or.LessThanOrEqualTo(time));
            if (left > TimeSpan.Zero) seen++;
        }

        Assert.That(seen, Stack.IsStock ? Is.Zero : Is.GreaterThan(0));
    }

    // There the ticks of the clock on the wall are kept, and read as UTC.
    [Test]
    public async Task An_absolute_expiration_is_kept_in_UTC_whatever_its_offset()
    {
        string key = NewKey();
        var end = DateTimeOffset.UtcNow.Add(TenMinutes).ToOffset(TimeSpan.FromHours(5));
        await Cache.SetAsync(key, Value, new() { AbsoluteExpiration = end });
        Assert.That(await FieldAsync(key, "absexp"), Is.EqualTo($"{(Stack.IsStock ? end.Ticks : end.UtcTicks)}"));
    }

    // There it is read once more; and Garnet, which takes no TTL of less than nothing, makes it an error.
    [Test]
    public async Task A_sliding_entry_past_its_absolute_end_is_not_there_and_is_removed([Values] CacheAccess access, [Values] bool refresh)
    {
        string key = await NewEntryAsync(Sliding(TenMinutes), access);
        await Redis.HashSetAsync(KeyOf(key), "absexp", DateTimeOffset.UtcNow.AddMinutes(-1).Ticks);
        if (Stack.IsStock && !Stack.Server.IsProcess)
        {
            Assert.That(() => UseAsync(), Throws.InstanceOf<RedisServerException>());
            return;
        }

        Assert.That(await UseAsync(), Stack.IsStock && !refresh ? Is.EqualTo(Value) : Is.Null);
        Assert.That(await Redis.KeyExistsAsync(KeyOf(key)), Is.False);

        async Task<byte[]?> UseAsync()
        {
            if (!refresh) return await access.GetAsync(Cache, key);
            await access.RefreshAsync(Cache, key);
            return null;
        }
    }

    [Test]
    public async Task Null_arguments_have_the_names_of_the_parameters()
    {
        string key = await NewEntryAsync(FromNow(TenMinutes));
        Assert.That(() => Cache.Set(key, null!, Never), ThrowsNull.Of(Stack.IsStock ? "array" : "value"));
        Assert.That(
            () => Cache.TryGet(key, null!),
            Stack.IsStock ? Throws.InstanceOf<NullReferenceException>() : ThrowsNull.Of("destination"));
        Assert.That(
            async () => await Cache.TryGetAsync(key, null!),
            Stack.IsStock ? Throws.InstanceOf<NullReferenceException>() : ThrowsNull.Of("destination"));
    }
}
