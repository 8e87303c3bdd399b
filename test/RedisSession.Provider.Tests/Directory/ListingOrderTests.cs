namespace RedisSession.Provider.Tests;

/// <summary>
/// A session is bound, ended in three ways, and used by nobody, by its user and by another one, at two instances, in every order: after
/// each step the list and the binding say the same, and as soon as a user uses a session it is in his list and bound to him.
/// </summary>
[TestFixtureSource(typeof(TestServers), nameof(TestServers.Kinds))]
[Category(FullRun.Only)]
internal sealed class ListingOrderTests(ServerKind kind) : BothModesFixture(kind)
{
    private const int Length = 4;

    private enum Step { BindAnn, EndAllOfAnn, EndById, EndInRedis, UseAsNobody, UseAsAnn, UseAsBob }

    /// <summary>Every order of so many steps, or where somebody wants it thoroughly, of one more.</summary>
    private static IEnumerable<Step[]> Orders()
    {
        var steps = Enum.GetValues<Step>();
        int length = Tries.AreMany ? Length : Length - 1;
        return Enumerable.Range(0, (int)Math.Pow(steps.Length, length)).Select(number =>
        {
            var order = new Step[length];
            for (int i = 0; i < length; i++, number /= steps.Length) order[i] = steps[number % steps.Length];
            return order;
        });
    }

    [Test]
    public async Task In_every_order_list_and_binding_say_the_same([Values] RedisSessionMode mode, [Values] bool writes)
    {
        await using var other = await Stack.StartAsync(options => options.Mode = mode);
        TestApp[] instances = [Apps[mode], other];
        int number = 0;
        foreach (var order in Orders())
        {
            string name = Guid.NewGuid().ToString("N");
            string ann = $"ann {name}", bob = $"bob {name}";
            using var browser = instances[0].NewBrowser();
            string id = await browser.NewSessionAsync();
            var done = new List<string>();
            foreach (var step in order)
            {
                int at = (number >> done.Count) & 1;
                browser.At(instances[at]);
                done.Add($"{step}@{at}");
                id = await DoAsync(step, browser, instances[at], id, ann, bob, writes);
                await CheckAsync(step, id, ann, bob, $"{string.Join(", ", done)}; {(writes ? "writing" : "reading")}");
            }

            number++;
        }
    }

    private async Task<string> DoAsync(Step step, Browser browser, TestApp app, string id, string ann, string bob, bool writes)
    {
        switch (step)
        {
            case Step.BindAnn: return await browser.RenewAsync(ann);
            case Step.EndAllOfAnn: await app.Directory.EndAllForUserAsync(ann); break;
            case Step.EndById: await app.Directory.EndAsync(id); break;
            case Step.EndInRedis: await Redis.KeyDeleteAsync(Stack.KeyOf(id)); break;
            case var use:
                string? user = use switch { Step.UseAsAnn => ann, Step.UseAsBob => bob, _ => null };
                if (writes) await browser.VisitAsAsync(user, session => session.SetString("key", "2"));
                else await browser.VisitAsAsync(user, session => session.GetString("key"));
                break;
        }

        return id;
    }

    private async Task CheckAsync(Step step, string id, string ann, string bob, string order)
    {
        var fields = await Redis.HashGetAsync(Stack.KeyOf(id), ["@gen", "@user", "@auto"]);
        bool lives = !fields[0].IsNull && !Tombstone.Is(fields[0]);
        string? owner = lives ? (string?)fields[1] : null;
        string? user = step switch { Step.UseAsAnn or Step.BindAnn => ann, Step.UseAsBob => bob, _ => null };
        bool isBoundByName = lives && owner is not null && fields[2].IsNull;
        if (lives && user is not null) Assert.That(owner, isBoundByName ? Is.EqualTo(ann) : Is.EqualTo(user), order);
        foreach (string one in new[] { ann, bob })
            if (owner == one) Assert.That(await Stack.UserListAsync(one), Does.Contain(id), order);
    }
}
