using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json.Serialization.Metadata;

namespace RedisSession.Provider.Tests;

/// <summary>
/// The compiler sees to it that what needs reflection is marked; here is the other half: what does not need it is not, so that trimmed
/// applications can use it without a warning.
/// </summary>
internal sealed class TrimmingMarksTests
{
    private static IEnumerable<MethodInfo> PublicMethods =>
        from type in typeof(SessionValue).Assembly.GetExportedTypes()
        from method in type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
        select method;

    [Test]
    public void What_reads_or_writes_JSON_of_any_type_without_a_JsonTypeInfo_is_marked_and_nothing_else()
    {
        Assert.That(PublicMethods.Where(IsMarked<RequiresUnreferencedCodeAttribute>), Is.EquivalentTo(PublicMethods.Where(Reflects)));
        Assert.That(PublicMethods.Where(IsMarked<RequiresDynamicCodeAttribute>), Is.EquivalentTo(PublicMethods.Where(Reflects)));
    }

    [Test]
    public void Each_of_them_has_a_twin_that_takes_a_JsonTypeInfo()
    {
        var twins = PublicMethods.Where(TakesTypeInfo).Select(method => (method.DeclaringType, method.Name)).ToHashSet();
        var alone = PublicMethods.Where(Reflects).Where(method => !twins.Contains((method.DeclaringType, method.Name)));
        Assert.That(PublicMethods.Where(Reflects), Is.Not.Empty);
        Assert.That(alone, Is.Empty);
    }

    private static bool Reflects(MethodInfo method) =>
        method.IsGenericMethod && method.Name.Contains("Json", StringComparison.Ordinal) && !TakesTypeInfo(method);

    private static bool TakesTypeInfo(MethodInfo method) =>
        method.GetParameters().Any(parameter =>
            parameter.ParameterType.IsGenericType && parameter.ParameterType.GetGenericTypeDefinition() == typeof(JsonTypeInfo<>));

    private static bool IsMarked<TMark>(MethodInfo method)
        where TMark : Attribute => method.GetCustomAttribute<TMark>() is not null;
}
