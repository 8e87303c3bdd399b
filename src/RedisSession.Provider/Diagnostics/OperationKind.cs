namespace RedisSession.Provider;

/// <summary>What a request waits for, as metrics and traces name it.</summary>
/// <param name="Name">The value of <see cref="TelemetryTags.Operation"/>.</param>
/// <param name="Command">The Redis command that it consists of; null if it gets no span.</param>
/// <param name="Script">The script that the command runs, if any.</param>
internal sealed record OperationKind(string Name, string? Command = null, string? Script = null)
{
    /// <summary>Waiting for the connection to open.</summary>
    public static readonly OperationKind Connect = new("connect");

    /// <summary>All keys of a session.</summary>
    public static readonly OperationKind Load = new("load", "HGETALL");

    /// <summary>Some keys of a session.</summary>
    public static readonly OperationKind Read = new("read", "HMGET");

    /// <summary>Changes, from when they are sent until Redis has confirmed them.</summary>
    public static readonly OperationKind Write = new("write", "EVALSHA", "session_change");

    /// <summary>A change that depends on a key's current value.</summary>
    public static readonly OperationKind Change = new("change", "EVALSHA", "session_field");

    /// <summary>A session gets a new key: the new session is created, or the old one ended.</summary>
    public static readonly OperationKind RenewKey = new("renew_key", "EVALSHA", "session_move");

    /// <summary>A legacy session of AddSession is looked up and taken over: look, create, mark.</summary>
    public static readonly OperationKind TakeOver = new("take_over", "EVALSHA", "session_take_over");

    public static readonly OperationKind Abandon = new("abandon", "EVALSHA", "session_end");

    /// <summary>No request waits for it, so only its failures are reported.</summary>
    public static readonly OperationKind RefreshExpiry = new("renew_expiry");

    /// <summary>Keeps a session in its user's list. Likewise, only failures are reported.</summary>
    public static readonly OperationKind KeepListed = new("keep_listed");
}
