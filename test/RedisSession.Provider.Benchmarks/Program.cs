using System.Runtime.InteropServices;
using RedisSession.Provider.Benchmarks;

// The commands; each brings its options and its help. Those without a summary are for this program itself.
Command[] commands =
[
    CompareCommand.Command, ScaleCommand.Command, MemoryCommand.Command, RenewalCommand.Command, ListingCommand.Command,
    MicroCommand.Command, BlockingCommand.Command, OutageCommand.Command, BenchmarkServer.Command, Bystander.Command,
];

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;

// Whoever ends this program ends it by way of the finally blocks, which end the servers.
using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);

try
{
    if (args is ["--help" or "-h" or "help"])
    {
        Console.WriteLine(Help());
        return 0;
    }

    // Without a command it is the first one, which may have options all the same.
    if (args is [] || args[0].StartsWith('-')) args = [commands[0].Name, .. args];
    var command = commands.FirstOrDefault(command => command.Name == args[0]) ?? throw new UsageException($"There is no command '{args[0]}'.");
    if (args.Contains("--help") || args.Contains("-h"))
    {
        Console.WriteLine(command.Help);
        return 0;
    }

    await command.RunAsync(new Options(command.Name, args[1..]), stop.Token);
    return 0;
}
catch (UsageException error)
{
    Console.Error.WriteLine($"{error.Message} See --help.");
    return 2;
}
catch (BenchmarkException error)
{
    Console.Error.WriteLine(error.Message);
    return 1;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    Console.Error.WriteLine("Stopped.");
    return 130;
}

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}

string Help()
{
    var listed = commands.Where(command => command.Summary is not null).Select(command => $"  {command.Name,-12}{command.Summary}");
    return $"""
        {Command.Program} [COMMAND] [OPTIONS]

        {string.Join(Environment.NewLine, listed)}

        Without a command it is {commands[0].Name}. COMMAND --help tells the options.
        The result goes to standard output as Markdown, progress to standard error.
        """;
}
