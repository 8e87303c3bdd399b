namespace RedisSession.Provider.Tests;

internal sealed class ErrorTypeTests
{
    [TestCase("OOM command not allowed when used memory > 'maxmemory'.", "OOM")]
    [TestCase("NOPERM User sessions has no permissions to run the 'eval' command", "NOPERM")]
    [TestCase("LOADING", "LOADING")]
    [TestCase("Endpoint 127.0.0.1:1 serving hashslot 5 is not reachable", null)]
    [TestCase("the value hunter2 is not an integer", null)]
    [TestCase("SECRET1 is no code", null)]
    [TestCase("AVERYLONGWORDTHATISNOCODEOFANYREDISTHATEVERWAS of text", null)]
    [TestCase("", null)]
    public void The_code_of_a_reply_is_its_first_word_when_that_has_the_form_of_one(string message, string? code)
    {
        var error = new RedisServerException(RedisErrorKind.Unknown, CommandFlags.None, message);
        Assert.That(ErrorType.CodeOf(error), Is.EqualTo(code));
        Assert.That(ErrorType.Of(error), Is.EqualTo(code ?? "StackExchange.Redis.RedisServerException"));
    }

    [Test]
    public void Anything_else_is_named_by_its_type()
    {
        var error = new InvalidOperationException("OOM so to speak");
        Assert.That((ErrorType.CodeOf(error), ErrorType.Of(error)), Is.EqualTo(((string?)null, "System.InvalidOperationException")));
    }
}
