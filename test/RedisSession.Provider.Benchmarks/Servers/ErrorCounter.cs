using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace RedisSession.Provider.Benchmarks;

/// <summary>Counts what is logged as a warning or worse, by what went wrong.</summary>
internal sealed class ErrorCounter : ILoggerProvider
{
    private readonly ConcurrentDictionary<string, int> _counts = new();

    public Dictionary<string, int> ToDictionary() => new(_counts);

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
    }

    private sealed class Logger(ErrorCounter counter, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel)) return;
            string what = $"{category[(category.LastIndexOf('.') + 1)..]}: {eventId.Name ?? Beginning(formatter(state, exception))}";
            if (exception is not null) what += $", {exception.GetType().Name}: {Beginning(exception.Message)}";
            counter._counts.AddOrUpdate(what, 1, (_, count) => count + 1);
        }

        // The Redis client goes on with the state of its queues, which is different each time.
        private static string Beginning(string message) => message.Split([",", "(", " - ", "\n"], StringSplitOptions.None)[0].Trim();
    }
}
