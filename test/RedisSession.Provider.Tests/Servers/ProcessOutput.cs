using System.Diagnostics;
using System.Text;

namespace RedisSession.Provider.Tests;

/// <summary>What a process has written so far, to standard output and error.</summary>
internal sealed class ProcessOutput
{
    private readonly StringBuilder _text = new();

    public ProcessOutput(Process process)
    {
        process.OutputDataReceived += Append;
        process.ErrorDataReceived += Append;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public bool Contains(string text) => ToString().Contains(text, StringComparison.Ordinal);

    public override string ToString()
    {
        lock (_text)
            return _text.ToString();
    }

    private void Append(object sender, DataReceivedEventArgs line)
    {
        lock (_text)
            _text.AppendLine(line.Data);
    }
}
