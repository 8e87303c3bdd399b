using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// A copy of the application's options that is ours to change. What lets us in stays the application's: user, password and the options of
/// TLS are rotated in its object, or are tokens of its <see cref="ConfigurationOptions.Defaults"/>, and are asked for before each connect.
/// </summary>
internal static class LiveCredentials
{
    public static ConfigurationOptions CopyOf(ConfigurationOptions given)
    {
        var copy = given.Clone();
        copy.BeforeSocketConnect = (endPoint, type, socket) =>
        {
            Refresh();
            given.BeforeSocketConnect?.Invoke(endPoint, type, socket);
        };
        Refresh();
        return copy;

        void Refresh()
        {
            (copy.User, copy.Password) = (given.User, given.Password);
            copy.SslClientAuthenticationOptions = given.SslClientAuthenticationOptions;
        }
    }
}
