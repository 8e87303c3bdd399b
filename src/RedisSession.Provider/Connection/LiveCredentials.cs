using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// A copy of the application's options that we may change. Credentials stay the application's: user, password and TLS options are rotated
/// in its object, or are tokens from its <see cref="ConfigurationOptions.Defaults"/>, so they are read again before each connect.
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
