namespace RedisSession.Provider.Benchmarks;

/// <summary>How many times one request waits for Redis, one after the other.</summary>
/// <param name="UntilAnswer">Until the client has its answer.</param>
/// <param name="AfterAnswer">After that, before the server is done with the request and takes the next one of the connection.</param>
internal sealed record RoundTripCount(int UntilAnswer, int AfterAnswer);
