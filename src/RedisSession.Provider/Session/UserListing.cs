namespace RedisSession.Provider;

/// <summary>
/// What one request has done to keep its session in its user's list. Part of <see cref="SessionState"/> and guarded by its lock.
/// </summary>
/// <remarks>
/// <code>
/// NotLookedAfter ─┬→ LookedAfterForNobody ─→ LookedAfterForUser      the request says who it is, now or later
///                 └→ LookedAfterForUser
/// any ─→ LeftToApplication                                           it binds the session itself, and has the last word
/// Nothing ─→ Existing ─→ Created                                     what was sent for that
/// any ─→ Nothing                                                     it has found no session, or that has moved
/// </code>
/// </remarks>
internal struct UserListing
{
    private Care _care;
    private Sent _sent;
    private byte _number; // of what was sent

    private enum Care : byte { NotLookedAfter, LookedAfterForNobody, LookedAfterForUser, LeftToApplication }

    private enum Sent : byte { Nothing, Existing, Created }

    /// <summary>The user the request says it is.</summary>
    public string? User { get; set; }

    /// <summary>Not asked for again.</summary>
    public bool IsSettled { get; set; }

    public readonly bool IsLookedAfter => _care != Care.NotLookedAfter;

    /// <summary>
    /// True if the command sent now needs a listing with it: the request has not looked after the session yet, or not for its user, or
    /// creates it for that user.
    /// </summary>
    public bool LookAfter(bool mayCreate)
    {
        if (_care == Care.LeftToApplication) return false;
        var care = User is null ? Care.LookedAfterForNobody : Care.LookedAfterForUser;
        bool isDue = _care < care || (mayCreate && User is not null && _sent != Sent.Created);
        if (_care < care) _care = care;
        return isDue;
    }

    /// <summary>
    /// The listing is sent. After a creating write it finds the new session, otherwise the existing one. Returns its number.
    /// </summary>
    public byte Send(bool withCreation)
    {
        _sent = withCreation ? Sent.Created : Sent.Existing;
        return ++_number;
    }

    /// <summary>That one has found no session; what was sent later has not been answered.</summary>
    public void FoundNothing(byte number)
    {
        if (number == _number) _sent = Sent.Nothing;
    }

    /// <summary>The session is under another key now, where nothing that was sent can find it.</summary>
    public void Moved() => _sent = Sent.Nothing;

    /// <summary>True if this generation of the session may lack a listing: none was sent that could have reached it.</summary>
    public readonly bool MayLack(bool isCreated) =>
        _care is Care.LookedAfterForNobody or Care.LookedAfterForUser && _sent < (isCreated ? Sent.Created : Sent.Existing);

    public void LeaveToApplication() => (_care, IsSettled) = (Care.LeftToApplication, true);
}
