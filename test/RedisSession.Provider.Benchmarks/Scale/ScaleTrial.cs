namespace RedisSession.Provider.Benchmarks;

/// <summary>All variants and workloads at one point.</summary>
internal sealed class ScaleTrial(ScalePart part, ScalePoint point, RedisUnderTest redis, WarmServers servers, ScaleSettings settings)
{
    public static IReadOnlyList<Workload> Workloads(SessionShape shape) => [Workload.ReadOne(shape), Workload.SetOne(shape)];

    public async Task<List<ScaleCell>> RunAsync(CancellationToken cancellationToken)
    {
        var crowds = new Dictionary<SessionVariant, Crowd>();
        try
        {
            foreach (var variant in settings.Variants) crowds.Add(variant, await ArriveAsync(variant, cancellationToken));
            return await MeasureAsync(crowds, cancellationToken);
        }
        finally
        {
            foreach (var crowd in crowds.Values) crowd.Dispose();
            foreach (var variant in settings.Variants) await FillOf(variant).RemoveAllAsync();
        }
    }

    private async Task<Crowd> ArriveAsync(SessionVariant variant, CancellationToken cancellationToken)
    {
        var workload = Workload.ReadOne(point.Shape);
        var crowd = await Crowd.ArriveAsync(ServerOf(variant).Address, workload, point.Connections, point.VisitedSessions, cancellationToken);
        if (point.Sessions > point.VisitedSessions)
            await FillOf(variant).AddAsync(point.Sessions.Value - point.VisitedSessions, cancellationToken);
        return crowd;
    }

    private async Task<List<ScaleCell>> MeasureAsync(Dictionary<SessionVariant, Crowd> crowds, CancellationToken cancellationToken)
    {
        var cells = new List<ScaleCell>();
        var trial = new LoadTrial(redis, point.Connections, settings.Duration);
        for (int round = 0; round < settings.Rounds; round++)
        {
            foreach (var (number, workload) in Workloads(point.Shape).Index())
            {
                foreach (var variant in settings.Variants.InTurn(round + number))
                {
                    crowds[variant].Prepare(workload);
                    var measurement = await trial.RunAsync(ServerOf(variant), crowds[variant], cancellationToken);
                    cells.Add(new(part, point, round, variant, workload.Name, measurement));
                }
            }
        }

        return cells;
    }

    private ServerUnderTest ServerOf(SessionVariant variant) => servers.Of(variant, Workload.ReadOne(point.Shape));

    private SessionFill FillOf(SessionVariant variant) => new(redis, ServerOf(variant));
}
