namespace RedisSession.Provider.Tests;

/// <summary>The assembly of the tests is a program as well: the application that <see cref="KilledApplicationTests"/> kills.</summary>
internal static class Program
{
    public static Task Main(string[] arguments) => arguments is [KillableApp.Name, .. var options]
        ? KillableApp.ServeAsync(options)
        : Task.CompletedTask;
}
