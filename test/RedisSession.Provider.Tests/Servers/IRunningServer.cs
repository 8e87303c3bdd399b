namespace RedisSession.Provider.Tests;

/// <summary>A server that runs until it is disposed.</summary>
internal interface IRunningServer : IAsyncDisposable
{
    /// <summary>Where it is, in the form that <c>ConnectionMultiplexer.Connect</c> takes.</summary>
    string ConfigurationString { get; }
}
