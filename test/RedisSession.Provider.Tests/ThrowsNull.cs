using NUnit.Framework.Constraints;

namespace RedisSession.Provider.Tests;

internal static class ThrowsNull
{
    /// <summary>The error of a null argument that was refused under its name.</summary>
    public static IResolveConstraint Of(string parameter) =>
        Throws.ArgumentNullException.With.Property(nameof(ArgumentNullException.ParamName)).EqualTo(parameter);
}
