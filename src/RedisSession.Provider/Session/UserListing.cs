namespace RedisSession.Provider;

/// <summary>
/// What one request has done to keep its session in the list of its user. Part of <see cref="SessionState"/>, and guarded by its lock.
/// </summary>
/// <remarks>
/// <code>
/// NotLookedAfter ─┬→ LookedAfterForNobody ─→ LookedAfterForUser      the request says who it is, now or later
///                 └→ LookedAfterForUser
/// any ─→ LeftToApplication                                           it binds the session by itself, which has the last word
/// Nothing ─→ Existing ─→ Created                                     what was sent for that
/// </code>
/// </remarks>
internal struct UserListing
{
    private Care _care;
    private Sent _sent;

    private enum Care : byte { NotLookedAfter, LookedAfterForNobody, LookedAfterForUser, LeftToApplication }

    private enum Sent : byte { Nothing, Existing, Created }

    /// <summary>Who the request says that it is.</summary>
    public string? User { get; set; }

    /// <summary>That was its last word.</summary>
    public bool IsSettled { get; set; }

    public readonly bool IsLookedAfter => _care != Care.NotLookedAfter;

    /// <summary>
    /// True when something is to be done with the command that is sent now: the request has not looked after the session yet, or not for its
    /// user, or creates it for him.
    /// </summary>
    public bool LookAfter(bool mayCreate)
    {
        if (_care == Care.LeftToApplication) return false;
        var care = User is null ? Care.LookedAfterForNobody : Care.LookedAfterForUser;
        bool isDue = _care < care || (mayCreate && User is not null && _sent != Sent.Created);
        if (_care < care) _care = care;
        return isDue;
    }

    /// <summary>The listing is sent. Behind what creates the session it finds that one, else the one that is there.</summary>
    public void Send(bool withCreation) => _sent = withCreation ? Sent.Created : Sent.Existing;

    /// <summary>True when a session of this life may lack what a listing would have done: none was sent that could have met it.</summary>
    public readonly bool MayLack(bool isCreated) =>
        _care is Care.LookedAfterForNobody or Care.LookedAfterForUser && _sent < (isCreated ? Sent.Created : Sent.Existing);

    public void LeaveToApplication() => (_care, IsSettled) = (Care.LeftToApplication, true);
}
