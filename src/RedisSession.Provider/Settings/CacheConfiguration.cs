using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider;

/// <summary>Reads the cache's options from configuration, as <see cref="SessionConfiguration"/> reads those of sessions.</summary>
/// <remarks>
/// <code>
/// in the section that was given                 Cache:InstanceName
///   or, given the whole configuration, in       RedisHashCache:InstanceName
/// </code>
/// </remarks>
internal static class CacheConfiguration
{
    /// <summary>The settings that a section can contain, and how to apply them.</summary>
    public static readonly IReadOnlyDictionary<string, Action<RedisHashCacheOptions, string>> Settings =
        new Dictionary<string, Action<RedisHashCacheOptions, string>>
        {
            ["Configuration"] = (options, text) => options.Configuration = text,
            ["ServiceKey"] = (options, text) => options.ServiceKey = text,
            ["InstanceName"] = (options, text) => options.InstanceName = text,
            ["OutageTolerance"] = (options, text) => options.OutageTolerance = SessionSetting.Duration(text),
            ["UseDedicatedThreads"] = (options, text) => options.UseDedicatedThreads = SessionSetting.YesNo(text),
        };

    /// <summary>Options that cannot be expressed as text.</summary>
    public static readonly IReadOnlyCollection<string> InCode =
        [nameof(RedisHashCacheOptions.ConfigurationOptions), nameof(RedisHashCacheOptions.ConnectionMultiplexerFactory)];

    /// <exception cref="OptionsValidationException">
    /// Settings do not parse or are unknown, or the section has none; the message names each.
    /// </exception>
    public static void Apply(IConfiguration configuration, RedisHashCacheOptions options)
    {
        var reader = new SettingReader("AddRedisHashCache", configuration, RedisHashCacheOptions.Section);
        reader.RefuseEmpty();
        reader.RefuseUnknown([.. Settings.Keys], InCode);
        foreach (var (name, apply) in Settings) reader.TryApply(reader.Section, name, text => apply(options, text));
        reader.ThrowIfAnythingIsWrong(typeof(RedisHashCacheOptions));
        options.LookedFor.AddRange(
        [
            SettingReader.NameIn(reader.Section, nameof(options.Configuration)),
            SettingReader.NameIn(reader.Section, nameof(options.ServiceKey)),
        ]);
        if (SettingReader.IsWhole(configuration))
        {
            options.Findings.NearMisses.UnionWith(NearMisses.Of(configuration, [], RedisHashCacheOptions.Section));
        }
    }
}
