using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace RedisSession.Provider;

/// <summary>
/// Which endpoints get their session loaded before they run: those that ask for it, or all, or those seen waiting for a synchronous read.
/// If the endpoint is not known yet, as before a terminal middleware, all such requests count as one endpoint.
/// </summary>
/// <param name="always">The default for endpoints that do not say; null to learn it.</param>
/// <param name="logger">Logs what was learned.</param>
internal sealed class LoadAhead(bool? always, ILogger logger)
{
    private readonly ConditionalWeakTable<Endpoint, Lesson> _lessons = [];
    private readonly Lesson _withoutEndpoint = new(always);

    public Lesson Of(Endpoint? endpoint)
    {
        if (endpoint is null) return _withoutEndpoint;
        return _lessons.TryGetValue(endpoint, out var lesson)
            ? lesson
            : _lessons.GetValue(endpoint, endpoint => new(endpoint.Metadata.GetMetadata<LoadSessionAheadAttribute>()?.LoadAhead ?? always));
    }

    /// <summary>A request had to wait for a synchronous read.</summary>
    public void Learn(Lesson lesson, Endpoint? endpoint)
    {
        if (lesson.Learn()) logger.LoadsAhead(endpoint?.DisplayName ?? "(none)");
    }

    internal sealed class Lesson(bool? always)
    {
        private int _isLearnt = always == true ? 1 : 0;

        public bool IsLoadedAhead => _isLearnt != 0;

        /// <summary>True when this is new.</summary>
        public bool Learn() => always is null && Interlocked.Exchange(ref _isLearnt, 1) == 0;
    }
}
