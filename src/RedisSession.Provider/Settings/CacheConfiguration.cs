using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider;

/// <summary>Reads the options of the cache from configuration, as <see cref="SessionConfiguration"/> reads those of sessions.</summary>
/// <remarks>
/// <code>
/// in the section that was given                 Cache:InstanceName
///   or, given the whole configuration, in       RedisHashCache:InstanceName
/// </code>
/// </remarks>
internal static class CacheConfiguration
{
    public const string DefaultSection = "RedisHashCache";

    /// <summary>What a section can hold, and what it means.</summary>
    public static readonly IReadOnlyDictionary<string, Action<RedisHashCacheOptions, string>> Settings =
        new Dictionary<string, Action<RedisHashCacheOptions, string>>
        {
            ["Configuration"] = (options, text) => options.Configuration = text,
            ["ServiceKey"] = (options, text) => options.ServiceKey = text,
            ["InstanceName"] = (options, text) => options.InstanceName = text,
            ["OutageTolerance"] = (options, text) => options.OutageTolerance = SessionSetting.Duration(text),
            ["UseDedicatedThreads"] = (options, text) => options.UseDedicatedThreads = SessionSetting.YesNo(text),
        };

    /// <exception cref="OptionsValidationException">Settings that do not parse; the message names each.</exception>
    public static void Apply(IConfiguration configuration, RedisHashCacheOptions options)
    {
        var section = configuration is IConfigurationRoot ? configuration.GetSection(DefaultSection) : configuration;
        var reader = new SettingReader();
        foreach (var (name, apply) in Settings) reader.TryApply(section, name, text => apply(options, text));
        reader.ThrowIfAnyDoesNotParse(typeof(RedisHashCacheOptions));
    }
}
