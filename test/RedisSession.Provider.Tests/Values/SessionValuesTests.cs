namespace RedisSession.Provider.Tests;

internal sealed class SessionValuesTests
{
    private static readonly SessionValues Asked = new(["b", "a", "absent"], [new("1"u8.ToArray()), new("2"u8.ToArray()), default]);

    [Test]
    public void Values_are_found_by_key_and_by_position_in_the_order_of_asking()
    {
        Assert.That((Asked["a"].Int, Asked["b"].Int, Asked[0].Int, Asked[1].Int), Is.EqualTo((2, 1, 1, 2)));
    }

    [Test]
    public void Key_that_the_session_does_not_have_is_there_and_none()
    {
        Assert.That((Asked["absent"].None, Asked[2].None, Asked.ContainsKey("absent")), Is.EqualTo((true, true, true)));
        Assert.That((Asked.TryGetValue("absent", out var value), value.None), Is.EqualTo((true, true)));
    }

    [Test]
    public void Key_that_was_not_asked_for_is_an_error_that_names_it() =>
        Assert.That(() => Asked["other"], Throws.TypeOf<KeyNotFoundException>().With.Message.Contains("'other'"));

    [Test]
    public void Position_that_was_not_asked_for_is_an_error([Values(-1, 3)] int index) =>
        Assert.That(() => Asked[index], Throws.TypeOf<IndexOutOfRangeException>());

    [Test]
    public void Key_that_was_not_asked_for_can_be_tried()
    {
        Assert.That((Asked.ContainsKey("other"), Asked.ContainsKey("A")), Is.EqualTo((false, false)));
        Assert.That((Asked.TryGetValue("other", out var value), value.None), Is.EqualTo((false, true)));
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
        Assert.That((twice.Count, twice["a"].Int, twice[1].Int), Is.EqualTo((2, 1, 1)));
    }
}
