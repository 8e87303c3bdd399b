namespace RedisSession.Provider;

/// <summary>What a request waits for, as metrics and traces name it.</summary>
/// <param name="Name">The value of <see cref="TelemetryTags.Operation"/>.</param>
/// <param name="Command">The Redis command it is made of; null when it gets no span.</param>
/// <param name="Script">What that command runs, when it runs a script.</param>
internal sealed record OperationKind(string Name, string? Command = null, string? Script = null)
{
    /// <summary>The connection is not there yet.</summary>
    public static readonly OperationKind Connect = new("connect");

    /// <summary>All keys of a session.</summary>
    public static readonly OperationKind Load = new("load", "HGETALL");

    /// <summary>Some keys of a session.</summary>
    public static readonly OperationKind Read = new("read", "HMGET");

    /// <summary>Changes, from their sending until Redis has confirmed them.</summary>
    public static readonly OperationKind Write = new("write", "EVALSHA", "session_change");

    /// <summary>A change that depends on what a key holds.</summary>
    public static readonly OperationKind Change = new("change", "EVALSHA", "session_field");

    /// <summary>A session is given a new key: the new session is made, or the old one ended.</summary>
    public static readonly OperationKind RenewKey = new("renew_key", "EVALSHA", "session_move");

    /// <summary>A session that AddSession has left is looked for and taken over: look, create, mark.</summary>
    public static readonly OperationKind TakeOver = new("take_over", "EVALSHA", "session_take_over");

    public static readonly OperationKind Abandon = new("abandon", "EVALSHA", "session_end");

    /// <summary>Nobody waits for it, so only its failures are told.</summary>
    public static readonly OperationKind RefreshExpiry = new("renew_expiry");

    /// <summary>Keeps a session in its user's list; likewise.</summary>
    public static readonly OperationKind KeepListed = new("keep_listed");
}
