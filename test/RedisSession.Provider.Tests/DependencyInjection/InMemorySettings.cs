using Microsoft.Extensions.Configuration;

namespace RedisSession.Provider.Tests;

/// <summary>A configuration that has the settings that it is given, and nothing else.</summary>
internal static class InMemorySettings
{
    public static IConfigurationRoot Of(params (string Name, string Text)[] settings) => new ConfigurationBuilder()
        .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Text))).Build();

    public static IConfigurationRoot OfJson(string json) =>
        new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json))).Build();
}
