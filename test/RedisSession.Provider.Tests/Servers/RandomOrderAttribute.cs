using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;

// Fixtures run beside each other. Those that wait more than they compute say ParallelScope.All; those that concern the whole process, or count
// what happens in it, say that nothing may run beside them.
[assembly: Parallelizable(ParallelScope.Fixtures)]
[assembly: RedisSession.Provider.Tests.RandomOrder]

namespace RedisSession.Provider.Tests;

/// <summary>
/// Runs fixtures and tests in an order of their own where the environment has a seed in <c>REDIS_TEST_ORDER</c>: whoever needs another one
/// shows himself. Names decide the order otherwise.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
internal sealed class RandomOrderAttribute : NUnitAttribute, IApplyToTest
{
    public void ApplyToTest(Test test)
    {
        if (int.TryParse(Environment.GetEnvironmentVariable("REDIS_TEST_ORDER"), out int seed)) Shuffle(test, new Random(seed));
    }

    private static void Shuffle(ITest test, Random random)
    {
        foreach (var child in test.Tests)
        {
            child.Properties.Set(PropertyNames.Order, random.Next());
            Shuffle(child, random);
        }
    }
}
