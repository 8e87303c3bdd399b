using System.Collections.Concurrent;

namespace RedisSession.Provider.Tests;

/// <summary>Keeps what an application logs.</summary>
internal sealed class RecordedLogs : ILoggerProvider
{
    private readonly ConcurrentQueue<Entry> _entries = new();

    public IReadOnlyCollection<Entry> All => _entries;

    /// <summary>The entries of our own loggers with this event id.</summary>
    public IReadOnlyList<Entry> Of(int eventId) =>
        [.. _entries.Where(entry => entry.Category.StartsWith("RedisSession.Provider", StringComparison.Ordinal) && entry.EventId == eventId)];

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
    }

    internal sealed record Entry(string Category, LogLevel Level, int EventId, string Message, Exception? Error);

    private sealed class Logger(RecordedLogs logs, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            logs._entries.Enqueue(new(category, logLevel, eventId.Id, formatter(state, exception), exception));
    }
}
