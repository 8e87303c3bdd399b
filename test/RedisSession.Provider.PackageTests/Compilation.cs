namespace RedisSession.Provider.Tests.Packaging;

/// <summary>When an application becomes machine code.</summary>
internal enum Compilation
{
    /// <summary>While it runs, as usual.</summary>
    JustInTime,

    /// <summary>When it is published, without what nothing refers to (Native AOT).</summary>
    AheadOfTime,
}
