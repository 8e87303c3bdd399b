namespace RedisSession.Provider.Benchmarks;

/// <summary>Visitors of one server, with a connection each.</summary>
internal sealed class Crowd : IDisposable
{
    private readonly List<Visitor> _visitors = [];

    private Crowd()
    {
    }

    public IReadOnlyList<Visitor> Visitors => _visitors;

    /// <summary>They have <paramref name="sessions"/> between them, which must be no fewer than there are visitors.</summary>
    public static async Task<Crowd> ArriveAsync(
        IPEndPoint server, Workload workload, int visitors, int sessions, CancellationToken cancellationToken)
    {
        var crowd = new Crowd();
        try
        {
            for (int i = 0; i < visitors; i++)
            {
                int share = ((i + 1) * sessions / visitors) - (i * sessions / visitors);
                crowd._visitors.Add(await Visitor.ArriveAsync(server, workload, cancellationToken, share));
            }

            return crowd;
        }
        catch
        {
            crowd.Dispose();
            throw;
        }
    }

    public void Prepare(Workload workload) => _visitors.ForEach(visitor => visitor.Prepare(workload));

    public async Task LeaveAsync(CancellationToken cancellationToken)
    {
        foreach (var visitor in _visitors) await visitor.LeaveAsync(cancellationToken);
    }

    public void Dispose() => _visitors.ForEach(visitor => visitor.Dispose());
}
