using Microsoft.AspNetCore.Http;

namespace RedisSession.Provider;

/// <summary>This file: whose session it is, and that it stays in that user's list.</summary>
internal sealed partial class RedisHashSession
{
    // Who the request says that it is; whether that was its last word.
    private string? _user;
    private bool _userIsSettled;

    // The listing has been looked after, and for this user; also of the session that this request has created, or is about to.
    private bool _isLookedAfter;
    private bool _isLookedAfterForUser;
    private bool _creationIsListed;
    private bool _isCreated;

    // What is on its way for that; whether the response waits for it.
    private Task _listing = Task.CompletedTask;
    private bool _listingIsWaitedFor;

    /// <summary>
    /// False while a listing is under way that was sent with what the request waits for anyway, and that is the first for its user. Where
    /// Redis does not answer, nothing waits for it.
    /// </summary>
    private bool IsListed => !_listingIsWaitedFor || _listing.IsCompleted || _failure is not null;

    /// <summary>
    /// In the flight of the first command about the session, and of the write that creates it, so that nobody waits for one round trip
    /// more. Called inside the lock, behind the <paramref name="write"/>, or the renewal.
    /// </summary>
    private void KeepListed(Task? write)
    {
        AskForUser();
        bool mayCreate = write is not null && _sight.IsAbsent && _user is not null && !_creationIsListed;
        if (_isLookedAfter && _isLookedAfterForUser == (_user is not null) && !mayCreate) return;
        _isLookedAfter = true;
        _isLookedAfterForUser = _user is not null;

        if (_isNewKey && _user is null)
        {
            _store.Users.Remember(Id, null, Expiry); // it cannot be anybody's yet
        }
        else if (!_store.Users.IsUpToDate(KeyBytes.AsSpan(_store.KeyStart.Length), _user, Expiry, out bool isNew) || _isCreated)
        {
            _creationIsListed = write is not null;
            SendListing(write, isWaitedFor: (isNew || _isCreated) && _user is not null);
        }
    }

    /// <summary>Who the request says that it is, until it has said so. Called inside the lock.</summary>
    private string? AskForUser() =>
        _user ??= !_isLookedAfter && _context is { } context ? _store.Users.UserOf(context, this) : null;

    /// <summary>
    /// This request has just created the session. If it was thought to be listed, that was another, which has ended meanwhile. A reply that
    /// is there at once comes before the listing is looked after at all.
    /// </summary>
    private void ListCreated()
    {
        lock (Gate)
        {
            _isCreated = true;
            if (!_isLookedAfter || _user is null || _creationIsListed) return;
            _creationIsListed = true;
            SendListing(write: null, isWaitedFor: true);
        }
    }

    /// <summary>
    /// Asks the request for the last time who it is, before its response starts or its end: who is authenticated after the session was
    /// first used is known now. What that sends is waited for together with unconfirmed writes, or not at all.
    /// </summary>
    private void SettleUser(HttpContext context)
    {
        if (_userIsSettled) return;
        _userIsSettled = true;
        if (_user is not null || (_isNewKey && !_renewed && _writes?.Collected is null)) return;
        string? user = _store.Users.UserOf(context, this);
        if (user is null) return;
        lock (Gate)
        {
            _user ??= user;
            bool comesWithAnother = !_isLookedAfter || _writes?.Collected is not null;
            if (comesWithAnother || _sight.IsEnded) return;
            KeepListed(write: null);
            _listingIsWaitedFor &= _writes is { AreConfirmed: false };
        }
    }

    /// <summary>
    /// The application binds the session by itself, which counts for more than what the request says. Called inside the lock.
    /// </summary>
    private void LeaveListingToTheApplication() =>
        (_userIsSettled, _isLookedAfter, _isLookedAfterForUser, _creationIsListed) = (true, true, _user is not null, true);

    private void SendListing(Task? write, bool isWaitedFor)
    {
        _listingIsWaitedFor = isWaitedFor;
        _listing = _store.Users.KeepAsync(Id, _user, _sight.Generation, Expiry, write);
    }
}
