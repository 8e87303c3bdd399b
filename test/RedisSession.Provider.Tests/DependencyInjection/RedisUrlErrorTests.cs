namespace RedisSession.Provider.Tests;

[TestFixture]
[Parallelizable]
internal sealed class RedisUrlErrorTests
{
    [TestCaseSource(typeof(BadConfigurations), nameof(BadConfigurations.Urls))]
    public void Url_that_names_no_server_is_refused_for_its_reason(string url, string reason) =>
        Assert.That(() => RedisUrl.Parse(url), Throws.TypeOf<FormatException>().With.Message.Contains(reason));

    [TestCaseSource(typeof(BadConfigurations), nameof(BadConfigurations.Urls))]
    public void Refusal_repeats_neither_the_url_nor_the_password(string url, string reason)
    {
        var error = Assert.Throws<FormatException>(() => RedisUrl.Parse(url))!;

        // All of it: an inner exception would be logged too.
        Assert.That(error.ToString(), Does.Not.Contain(url).And.Not.Contain(BadConfigurations.Password), reason);
    }

    [TestCase("unix:")]
    [TestCase("unix:/")]
    [TestCase("unix://")]
    public void Unix_url_without_path_is_refused(string url) =>
        Assert.That(() => RedisUrl.Parse(url), Throws.TypeOf<FormatException>().With.Message.Contains("absolute path"));

    [Test]
    public void Unix_path_of_one_letter_is_enough() =>
        Assert.That(RedisUrl.Parse("unix:/a").EndPoints.Single().ToString(), Is.EqualTo("/a"));

    [Test]
    public void Unix_url_with_another_parameter_is_refused_for_that() =>
        Assert.That(() => RedisUrl.Parse("unix:?x=1"), Throws.TypeOf<FormatException>().With.Message.Contains("only one parameter"));

    [TestCase("redis://:%zz@host", "password")]
    [TestCase("redis://%zz:secret@host", "user")]
    [TestCase("redis://%zz", "host")]
    [TestCase("unix:///tmp/%zz", "path")]
    public void Refusal_says_in_which_part_a_percent_sign_is_alone(string url, string part) =>
        Assert.That(() => RedisUrl.Parse(url), Throws.TypeOf<FormatException>().With.Message.Contains($"In the {part} of"));

    [Test]
    public void Url_without_slashes_is_refused() =>
        Assert.That(() => RedisUrl.Parse("redis:localhost"), Throws.TypeOf<FormatException>().With.Message.Contains("redis://"));
}
