using CsCheck;

namespace RedisSession.Provider.Tests;

internal sealed class SessionHashLayoutTests
{
    [TestCase("cart", "cart"), TestCase("", ""), TestCase("a@b@", "a@b@"), TestCase(" @", " @"), TestCase("😀é", "😀é")]
    [TestCase("@", "@@"), TestCase("@x", "@@x"), TestCase("@@x", "@@@x")]
    [TestCase("@gen", "@@gen"), TestCase("@created", "@@created"), TestCase("@user", "@@user")]
    [TestCase("\uFF20x", "\uFF20x")] // a fullwidth @ is none
    public void Session_key_has_its_field(string key, string field) => Assert.That(SessionHashLayout.FieldOf(key), Is.EqualTo(field));

    [Test]
    public void Any_session_key_comes_back_from_its_field() =>
        SessionKeys.Any.Sample(key => SessionHashLayout.SessionKeyOf(OnTheWire(SessionHashLayout.FieldOf(key))) == key, iter: 2_000);

    [Test]
    public void Two_session_keys_never_share_a_field() => Gen.Select(SessionKeys.Any, SessionKeys.Any).Sample(
        (one, other) => (one == other) == (SessionHashLayout.FieldOf(one) == SessionHashLayout.FieldOf(other)),
        iter: 2_000);

    [Test]
    public void No_session_key_is_stored_in_a_field_of_ours() => SessionKeys.Any.Sample(
        key =>
        {
            string field = SessionHashLayout.FieldOf(key);
            return field.Length == 0 || field[0] != '@' || (field.Length > 1 && field[1] == '@');
        },
        iter: 2_000);

    [Test]
    public void Field_of_ours_never_surfaces_as_a_session_key(
        [Values("@gen", "@created", "@user", "@auto", "@something of a later version", "@")] string field) =>
        Assert.That(SessionHashLayout.SessionKeyOf(OnTheWire(field)), Is.Null);

    [Test]
    public void Fields_of_ours_are_named_as_the_scripts_name_them() => Assert.That(
        new[] { SessionHashLayout.Generation, SessionHashLayout.Created, SessionHashLayout.User, SessionHashLayout.Automatic },
        Is.EqualTo(["@gen", "@created", "@user", "@auto"]));

    [TestCase("", "sessions:"), TestCase("app:", "app:sessions:"), TestCase("{tag}", "{tag}sessions:"), TestCase("é", "ésessions:")]
    public void Redis_key_is_prefix_and_id(string prefix, string expected)
    {
        byte[] key = SessionHashLayout.KeyOf(SessionHashLayout.KeyStart(prefix), "session key");
        Assert.That(Encoding.UTF8.GetString(key), Is.EqualTo(expected + SessionId.Of("session key")));
    }

    [TestCase("", "users:SZFeDX1LQC4wF9AQvBwOg8rGx5fWwW5mNA_jJoaTpqE")]
    [TestCase("app:", "app:users:SZFeDX1LQC4wF9AQvBwOg8rGx5fWwW5mNA_jJoaTpqE")]
    public void A_users_list_is_under_prefix_and_a_digest_of_the_name(string prefix, string expected) =>
        Assert.That(SessionHashLayout.UserKeyOf(prefix, "ann").ToString(), Is.EqualTo(expected));

    // A character with the number of bytes that it takes in UTF-8. 語 fills the limit with the fewest UTF-16 units of all.
    [TestCase("a", 1), TestCase("é", 2), TestCase("語", 3), TestCase("😀", 4)]
    public void Session_key_may_have_65535_bytes_and_not_one_more(string character, int bytes)
    {
        int count = SessionHashLayout.MaxKeyBytes / bytes;
        string rest = new('a', SessionHashLayout.MaxKeyBytes - (count * bytes));
        string longest = string.Concat(Enumerable.Repeat(character, count)) + rest;
        Assert.That(Encoding.UTF8.GetByteCount(longest), Is.EqualTo(65_535));
        Assert.That(() => SessionHashLayout.ThrowIfNotAKey(longest), Throws.Nothing);
        Assert.That(
            () => SessionHashLayout.ThrowIfNotAKey(longest + "a"),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Property(nameof(ArgumentException.ParamName)).EqualTo("key"));
    }

    [Test]
    public void Empty_session_key_is_one() => Assert.That(() => SessionHashLayout.ThrowIfNotAKey(""), Throws.Nothing);

    [Test]
    public void Null_is_no_session_key() => Assert.That(() => SessionHashLayout.ThrowIfNotAKey(null!), ThrowsNull.Of("key"));

    /// <summary>A field as Redis answers it: bytes.</summary>
    private static RedisValue OnTheWire(RedisValue field) => (byte[]?)field;

    [Test]
    public void Half_a_surrogate_pair_is_the_replacement_character_as_Redis_gives_it_back() =>
        Assert.That(SessionHashLayout.Normalize("a\ud800"), Is.EqualTo("a\ufffd"));
}
