namespace RedisSession.Provider.Benchmarks;

/// <summary>One thing that grows, everything else being equal.</summary>
/// <param name="Name">What the command line calls it.</param>
/// <param name="Description">What grows.</param>
/// <param name="Points">From small to large.</param>
internal sealed record ScalePart(string Name, string Description, IReadOnlyList<ScalePoint> Points)
{
    public static IReadOnlyList<ScalePart> All { get; } =
    [
        new("sessions", "sessions in Redis, of each variant", Grow(
            [1_000, 10_000, 100_000, 1_000_000], count => new() { Label = $"{count:#,0}", Sessions = count })),
        new("keys", $"keys of a session, {SessionShape.Small.Value.Length} B under each", Grow(
            [1, 10, 100, 1_000], keys => new() { Label = $"{keys:#,0}", Shape = new(keys, SessionShape.Small.Value.Length) })),
        new("values", "bytes under each of 4 keys of a session", Grow(
            [10, 100, 1_000, 10_000, 100_000, 1_000_000], length => new() { Label = $"{length:#,0}", Shape = new(4, length) })),
        new("connections", "requests at a time", Grow([1, 8, 32, 128, 256], count => new() { Label = $"{count}", Connections = count })),
        new("primaries", "primaries of a Redis cluster on this machine (0: no cluster)", Grow(
            [0, 1, 2, 3], primaries => new() { Label = $"{primaries}", Primaries = primaries })),
    ];

    private static ScalePoint[] Grow(int[] sizes, Func<int, ScalePoint> point) => Array.ConvertAll(sizes, size => point(size));
}
