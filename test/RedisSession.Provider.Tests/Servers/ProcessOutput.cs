using System.Diagnostics;
using System.Text.RegularExpressions;

namespace RedisSession.Provider.Tests;

/// <summary>What a process has written so far, to standard output and error.</summary>
internal sealed class ProcessOutput
{
    private readonly StringBuilder _text = new();
    private readonly Process _process;

    public ProcessOutput(Process process)
    {
        _process = process;
        process.OutputDataReceived += Append;
        process.ErrorDataReceived += Append;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public bool Contains(string text) => ToString().Contains(text, StringComparison.Ordinal);

    /// <summary>Returns the first group of a line when the process has written it.</summary>
    /// <exception cref="InvalidOperationException">It has ended without.</exception>
    /// <inheritdoc cref="Until.TrueAsync(string, Func{bool})" path="/exception"/>
    public async Task<string> FindAsync(Regex line)
    {
        await Until.TrueAsync($"it says {line}", () =>
        {
            bool hasEnded = _process.HasExited; // before the look, which then is at all that it has written
            return line.IsMatch(ToString()) || (hasEnded ? throw new InvalidOperationException($"It has ended:\n{this}") : false);
        });
        return line.Match(ToString()).Groups[1].Value;
    }

    public override string ToString()
    {
        lock (_text) return _text.ToString();
    }

    private void Append(object sender, DataReceivedEventArgs line)
    {
        lock (_text) _text.AppendLine(line.Data);
    }
}
