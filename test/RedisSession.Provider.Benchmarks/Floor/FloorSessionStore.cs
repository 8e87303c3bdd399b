using Microsoft.AspNetCore.Session;

namespace RedisSession.Provider.Benchmarks;

/// <summary>Makes a <see cref="FloorSession"/> for each request.</summary>
internal sealed class FloorSessionStore(IDatabase database, string prefix, bool confirmsFirst) : ISessionStore
{
    private readonly byte[] _prefix = Encoding.UTF8.GetBytes(prefix);

    public IDatabase Database { get; } = database;

    public bool ConfirmsFirst { get; } = confirmsFirst;

    public RedisKey KeyOf(string sessionKey) => ((RedisKey)sessionKey).Prepend(_prefix);

    public ISession Create(
        string sessionKey, TimeSpan idleTimeout, TimeSpan ioTimeout, Func<bool> tryEstablishSession, bool isNewSessionKey) =>
        new FloorSession(this, sessionKey, idleTimeout, tryEstablishSession, isNewSessionKey);
}
