namespace RedisSession.Provider.Tests;

/// <summary>A fixture with servers, applications and the like that end with it.</summary>
internal abstract class OwningFixture
{
    protected Belongings Owned { get; } = new();

    [OneTimeTearDown]
    public async Task EndWhatItOwns() => await Owned.DisposeAsync();

    protected sealed class Belongings : IAsyncDisposable
    {
        private readonly Stack<IAsyncDisposable> _all = new();

        public T Add<T>(T one)
            where T : IAsyncDisposable
        {
            _all.Push(one);
            return one;
        }

        /// <summary>The newest first.</summary>
        public async ValueTask DisposeAsync()
        {
            while (_all.TryPop(out var one)) await one.DisposeAsync();
        }
    }
}
