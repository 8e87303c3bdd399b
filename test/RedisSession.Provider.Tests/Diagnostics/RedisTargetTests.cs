using System.Net.Sockets;

namespace RedisSession.Provider.Tests;

internal sealed class RedisTargetTests
{
    private static IEnumerable<TestCaseData<EndPoint[], string, string?, int?>> Servers() =>
    [
        new([new DnsEndPoint("redis", 6379)], "HMGET redis:6379", "redis", 6379),
        new([new IPEndPoint(IPAddress.IPv6Loopback, 6380)], "HMGET ::1:6380", "::1", 6380),
        new([new UnixDomainSocketEndPoint("/run/redis.sock")], "HMGET /run/redis.sock", "/run/redis.sock", null),
        new([new DnsEndPoint("a", 7000), new DnsEndPoint("b", 7000)], "HMGET", "a,b", 7000),
        new([new DnsEndPoint("a", 7000), new DnsEndPoint("b", 7001)], "HMGET", "a:7000,b:7001", null),
        new([], "HMGET", null, null),
    ];

    [TestCaseSource(nameof(Servers))]
    public void Names_and_addresses_are_those_of_the_configured_servers(EndPoint[] servers, string name, string? address, int? port)
    {
        var span = new RedisTarget(servers, 3).SpanOf(OperationKind.Read);
        var attributes = span.Attributes.ToDictionary();
        Assert.That((span.Name, attributes["db.namespace"]), Is.EqualTo((name, "3")));
        Assert.That(
            (attributes.GetValueOrDefault("server.address"), attributes.GetValueOrDefault("server.port")), Is.EqualTo((address, port)));
        Assert.That(attributes.Keys, Has.None.EqualTo("db.stored_procedure.name"));
    }

    [Test]
    public void Scripts_are_named_in_the_place_of_the_server()
    {
        var span = new RedisTarget([new DnsEndPoint("redis", 6379)], 0).SpanOf(OperationKind.Write);
        Assert.That(span.Name, Is.EqualTo("EVALSHA session_change"));
        Assert.That(span.Attributes.ToDictionary()["db.stored_procedure.name"], Is.EqualTo("session_change"));
    }
}
