namespace RedisSession.Provider;

/// <summary>
/// Which sessions <see cref="IRedisSessionDirectory.FindPageAsync"/> finds: those that match everything that is set. If nothing is set, all.
/// </summary>
public sealed class SessionFilter
{
    /// <summary>What the id begins with, such as as much of it as somebody has read out. What no id begins with finds nothing.</summary>
    public string? IdStart { get; init; }

    /// <summary>The user's name, in whatever case, as in <see cref="StringComparison.OrdinalIgnoreCase"/>.</summary>
    public string? UserInAnyCase { get; init; }

    /// <summary>True: sessions of users; false: sessions of nobody; null: both.</summary>
    public bool? HasUser { get; init; }

    /// <summary>Whether only the session itself tells.</summary>
    internal bool AsksForUser => UserInAnyCase is not null || HasUser is not null;

    internal bool AdmitsUser(string? user) =>
        (UserInAnyCase is null || string.Equals(user, UserInAnyCase, StringComparison.OrdinalIgnoreCase))
        && (HasUser is null || HasUser == user is not null);
}
