namespace RedisSession.Provider;

/// <summary>
/// The names of tags and attributes. Those that are not ours come from OpenTelemetry's conventions for database clients and Redis.
/// </summary>
internal static class TelemetryTags
{
    public const string Operation = "redis_session.operation";
    public const string Outcome = "redis_session.outcome";
    public const string EndReason = "redis_session.end.reason";
    public const string Direction = "redis_session.io.direction";

    public const string ErrorType = "error.type";
    public const string SystemName = "db.system.name";
    public const string Namespace = "db.namespace";
    public const string OperationName = "db.operation.name";
    public const string ScriptName = "db.stored_procedure.name";
    public const string StatusCode = "db.response.status_code";
    public const string ServerAddress = "server.address";
    public const string ServerPort = "server.port";
    public const string SessionId = "session.id";

    /// <summary>The values of <see cref="EndReason"/>.</summary>
    public static string ValueOf(SessionEndReason reason) => reason switch
    {
        SessionEndReason.Abandoned => "abandoned",
        SessionEndReason.EndedByDirectory => "ended_by_directory",
        _ => "expired",
    };

    public static KeyValuePair<string, object?> Of(string key, string value) => new(key, value);
}
