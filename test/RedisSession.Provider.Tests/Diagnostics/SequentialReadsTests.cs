namespace RedisSession.Provider.Tests;

[TestFixture]
[Parallelizable]
internal sealed class SequentialReadsTests
{
    [Test]
    public void Reads_that_wait_for_the_reply_before_count_each()
    {
        var reads = new SequentialReads();
        for (int i = 0; i < 3; i++) reads.Sent(Task.CompletedTask);
        Assert.That(reads.Count, Is.EqualTo(3));
    }

    [Test]
    public void Reads_that_are_under_way_together_count_once()
    {
        var reads = new SequentialReads();
        TaskCompletionSource[] together = [new(), new(), new()];
        foreach (var read in together) reads.Sent(read.Task);
        Assert.That(reads.Count, Is.EqualTo(1));

        foreach (var read in together) read.SetResult();
        foreach (var _ in together) reads.Sent(new TaskCompletionSource().Task);
        Assert.That(reads.Count, Is.EqualTo(2));
    }

    [Test]
    public void What_was_sent_is_returned()
    {
        var reply = Task.FromResult(5);
        Assert.That(new SequentialReads().Sent(reply), Is.SameAs(reply));
    }
}
