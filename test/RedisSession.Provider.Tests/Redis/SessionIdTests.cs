using System.Buffers.Text;
using System.Security.Cryptography;
using CsCheck;

namespace RedisSession.Provider.Tests;

internal sealed class SessionIdTests
{
    // Made by: printf '%s' KEY | openssl dgst -sha256 -binary | basenc --base64url | tr -d '='
    [TestCase("0f8fad5b-d9cb-469f-a165-70867728950e", "yBLh7bZEF9YJDc-68WwhzY6GZcBDluHttHL-z7J5fGo")]
    [TestCase("", "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU")]
    [TestCase("é😀", "EYTR9ggVjuoJ0pdWVXWJIjFVDEA6qpEwCNhnqXz9XHY")]
    public void Id_is_base64url_of_the_sha256_of_the_session_key(string sessionKey, string id) =>
        Assert.That(SessionId.Of(sessionKey), Is.EqualTo(id));

    [Test]
    public void Id_of_any_session_key_has_43_characters_that_need_no_escaping() =>
        Gen.String.Sample(key => SessionId.Of(key) is { Length: 43 } id && Base64Url.IsValid(id) && id.All(IsUrlSafe));

    // By the plainest code there is, whatever the length: ours takes two ways.
    [Test]
    public void Id_of_any_session_key_is_what_another_implementation_makes_of_it() =>
        Gen.String[0, 300].Sample(key => SessionId.Of(key) == Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(key)))
            .TrimEnd('=').Replace('+', '-').Replace('/', '_'));

    [Test]
    public void Different_session_keys_have_different_ids() =>
        Gen.Select(SessionKeys.Any, SessionKeys.Any).Sample((one, other) => (one == other) == (SessionId.Of(one) == SessionId.Of(other)));

    private static bool IsUrlSafe(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '_';
}
