namespace RedisSession.Provider.Tests;

internal sealed class SessionValuesTests
{
    private static readonly SessionValues Asked = new(["b", "a", "absent"], [new("1"u8.ToArray()), new("2"u8.ToArray()), default]);

    [Test]
    public void Values_are_found_by_key_and_by_position_in_the_order_of_asking()
    {
        Assert.That((Asked["a"].Int, Asked["b"].Int), Is.EqualTo((2, 1)));
        Assert.That((Asked[0].Int, Asked[1].Int), Is.EqualTo((1, 2)));
    }

    [Test]
    public void Key_that_the_session_does_not_have_is_there_and_none()
    {
        Assert.That(Asked["absent"].None, Is.True);
        Assert.That(Asked[2].None, Is.True);
        Assert.That(Asked.ContainsKey("absent"), Is.True);
        Assert.That(Asked.TryGetValue("absent", out var value), Is.True);
        Assert.That(value.None, Is.True);
    }

    [Test]
    public void Key_that_was_not_asked_for_is_an_error_that_names_it() =>
        Assert.That(() => Asked["other"], Throws.TypeOf<KeyNotFoundException>().With.Message.Contains("'other'"));

    [TestCase(-1)]
    [TestCase(3)]
    public void Position_that_was_not_asked_for_is_an_error(int index) =>
        Assert.That(() => Asked[index], Throws.TypeOf<IndexOutOfRangeException>());

    [Test]
    public void Key_that_was_not_asked_for_can_be_tried()
    {
        Assert.That(Asked.ContainsKey("other"), Is.False);
        Assert.That(Asked.ContainsKey("A"), Is.False);
        Assert.That(Asked.TryGetValue("other", out var value), Is.False);
        Assert.That(value.None, Is.True);
    }

    [Test]
    public void Enumeration_keeps_the_order_of_asking()
    {
        Assert.That(Asked, Has.Count.EqualTo(3));
        Assert.That(string.Join(' ', Asked.Keys), Is.EqualTo("b a absent"));
        Assert.That(string.Join(' ', Asked.Values.Select(value => value.Str)), Is.EqualTo("1 2 "));
        Assert.That(string.Join(' ', Asked.Select(pair => $"{pair.Key}={pair.Value.Str}")), Is.EqualTo("b=1 a=2 absent="));
    }

    [Test]
    public void Key_that_was_asked_for_twice_is_there_twice()
    {
        var twice = new SessionValues(["a", "a"], [new("1"u8.ToArray()), new("1"u8.ToArray())]);
        Assert.That(twice, Has.Count.EqualTo(2));
        Assert.That(twice["a"].Int, Is.EqualTo(1));
        Assert.That(twice[1].Int, Is.EqualTo(1));
    }
}
