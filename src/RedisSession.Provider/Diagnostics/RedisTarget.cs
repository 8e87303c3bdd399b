using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using StackExchange.Redis;

namespace RedisSession.Provider;

/// <summary>
/// The server that spans name: the one that the application configured, which is not always the one that answers. Caches the name and
/// initial attributes of the span for each kind of operation, since they are always the same.
/// </summary>
internal sealed class RedisTarget(IReadOnlyCollection<EndPoint> endPoints, int database)
{
    private readonly ConcurrentDictionary<OperationKind, SpanStart> _spans = new();

    public static RedisTarget Of(IDatabase database) => new(database.Multiplexer.GetEndPoints(configuredOnly: true), database.Database);

    public SpanStart SpanOf(OperationKind kind) => _spans.GetOrAdd(kind, static (kind, target) => target.MakeSpan(kind), this);

    private SpanStart MakeSpan(OperationKind kind)
    {
        var attributes = new List<KeyValuePair<string, object?>>
        {
            new(TelemetryTags.SystemName, "redis"),
            new(TelemetryTags.OperationName, kind.Command),
            new(TelemetryTags.Namespace, database.ToString(CultureInfo.InvariantCulture)),
            new(TelemetryTags.Operation, kind.Name),
        };
        var (address, port) = Address();
        if (kind.Script is not null) attributes.Add(new(TelemetryTags.ScriptName, kind.Script));
        if (address is not null) attributes.Add(new(TelemetryTags.ServerAddress, address));
        if (port is not null) attributes.Add(new(TelemetryTags.ServerPort, port));

        // {db.operation.name} {target}: the script, or else the server if there is exactly one.
        string? target = kind.Script ?? (endPoints.Count != 1 ? null : port is null ? address : $"{address}:{port}");
        return new(target is null ? kind.Command! : $"{kind.Command} {target}", [.. attributes]);
    }

    /// <summary>All configured servers; the port separately if they share it, as OpenTelemetry requires.</summary>
    private (string? Address, int? Port) Address()
    {
        var servers = endPoints.Select(HostAndPort).ToArray();
        if (servers.Length == 0) return (null, null);
        var ports = servers.Select(server => server.Port).Distinct().ToArray();
        return ports.Length == 1
            ? (string.Join(',', servers.Select(server => server.Host)), ports[0])
            : (string.Join(',', servers.Select(server => server.Port is null ? server.Host : $"{server.Host}:{server.Port}")), null);
    }

    private static (string Host, int? Port) HostAndPort(EndPoint endPoint) => endPoint switch
    {
        DnsEndPoint dns => (dns.Host, dns.Port),
        IPEndPoint ip => (ip.Address.ToString(), ip.Port),
        _ => (endPoint.ToString() ?? "", null), // the path of a Unix socket
    };

    /// <summary>The name and attributes that a span starts with.</summary>
    internal sealed record SpanStart(string Name, KeyValuePair<string, object?>[] Attributes);
}
