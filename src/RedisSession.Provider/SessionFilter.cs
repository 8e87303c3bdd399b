namespace RedisSession.Provider;

/// <summary>
/// Which sessions <see cref="IRedisSessionDirectory.FindPageAsync"/> finds: those that match every criterion that is set. If none is set,
/// all sessions.
/// </summary>
public sealed class SessionFilter
{
    /// <summary>
    /// The beginning of the session id, such as the part that a user has read out. Text that no id can begin with finds nothing.
    /// </summary>
    public string? IdStart { get; init; }

    /// <summary>The user's name, ignoring case, as in <see cref="StringComparison.OrdinalIgnoreCase"/>.</summary>
    public string? UserInAnyCase { get; init; }

    /// <summary>True: only sessions that have a user; false: only sessions without a user; null: both.</summary>
    public bool? HasUser { get; init; }

    /// <summary>Whether the session itself must be read to decide.</summary>
    internal bool AsksForUser => UserInAnyCase is not null || HasUser is not null;

    internal bool AdmitsUser(string? user) =>
        (UserInAnyCase is null || string.Equals(user, UserInAnyCase, StringComparison.OrdinalIgnoreCase))
        && (HasUser is null || HasUser == user is not null);
}
