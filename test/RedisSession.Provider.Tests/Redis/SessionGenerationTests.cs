namespace RedisSession.Provider.Tests;

internal sealed class SessionGenerationTests
{
    [Test]
    public void Generation_is_8_characters_of_base64url() =>
        Assert.That(Enumerable.Range(0, 1_000).Select(_ => SessionGeneration.Create()), Is.All.Matches("^[A-Za-z0-9_-]{8}$"));

    [Test]
    public void Generations_do_not_repeat() =>
        Assert.That(Enumerable.Range(0, 10_000).Select(_ => SessionGeneration.Create()).Distinct().Count(), Is.EqualTo(10_000));

    // 6 bytes are 8 characters of 6 bits: where all were random, each position has seen most of the 64 characters by then.
    [Test]
    public void All_of_a_generation_is_random()
    {
        var generations = Enumerable.Range(0, 1_000).Select(_ => SessionGeneration.Create()).ToList();
        Assert.That(Enumerable.Range(0, 8).Select(i => generations.Select(one => one[i]).Distinct().Count()), Is.All.GreaterThan(48));
    }
}
