namespace RedisSession.Provider.Tests;

/// <summary>What an application puts into its pipeline to have sessions.</summary>
internal enum Pipeline
{
    UseSession,

    /// <summary>With what it has learnt.</summary>
    UseRedisHashSession,
    UseRedisHashSessionLoadingAhead,
    UseRedisHashSessionLoadingNothing,
}

internal static class Pipelines
{
    /// <summary>Both on every kind of server; ours reads what the application reads, and nothing ahead.</summary>
    public static IReadOnlyList<TestFixtureData> All { get; } = On(TestServers.Kinds);

    public static IReadOnlyList<TestFixtureData> OnProcesses { get; } = On(TestServers.ProcessKinds);

    public static IApplicationBuilder Use(this IApplicationBuilder app, Pipeline pipeline) => pipeline switch
    {
        Pipeline.UseSession => app.UseSession(),
        Pipeline.UseRedisHashSession => app.UseRedisHashSession(),
        Pipeline.UseRedisHashSessionLoadingAhead => app.UseRedisHashSession(loadAhead: true),
        _ => app.UseRedisHashSession(loadAhead: false),
    };

    private static TestFixtureData[] On(IEnumerable<ServerKind> kinds) =>
    [
        .. from fixture in FullRun.Product(kinds, Pipeline.UseSession, Pipeline.UseRedisHashSessionLoadingNothing)
           select new TestFixtureData(fixture.Kind, fixture.Other),
    ];
}
