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
    private readonly Lesson _withoutEndpoint = new(null, always);

    public Lesson Of(Endpoint? endpoint)
    {
        if (endpoint is null) return _withoutEndpoint;
        return _lessons.TryGetValue(endpoint, out var lesson)
            ? lesson
            : _lessons.GetValue(endpoint, NewLesson);
    }

    /// <summary>A request is over, and has waited for a synchronous read or not.</summary>
    public void Learn(Lesson lesson, RequestSession session)
    {
        if (session.HasReadLate) lesson.Forget();
        else if (session.HasBlocked && lesson.Learn()) logger.LoadsAhead(lesson.Endpoint);
    }

    private Lesson NewLesson(Endpoint endpoint) =>
        new(endpoint.DisplayName, endpoint.Metadata.GetMetadata<LoadSessionAheadAttribute>()?.LoadAhead ?? always);

    internal sealed class Lesson(string? endpoint, bool? always)
    {
        private int _isTold;

        public string Endpoint => endpoint ?? "(none)";

        public bool IsLoadedAhead { get; private set; } = always == true;

        /// <summary>Nobody has said that it is to be loaded.</summary>
        public bool IsGuess => always is null;

        /// <summary>True when this is to be told: once.</summary>
        public bool Learn()
        {
            if (!IsGuess) return false;
            IsLoadedAhead = true;
            return Interlocked.Exchange(ref _isTold, 1) == 0;
        }

        /// <summary>It reads so late that what was loaded ahead was of no use.</summary>
        public void Forget()
        {
            if (IsGuess) IsLoadedAhead = false;
        }
    }
}
