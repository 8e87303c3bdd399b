using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Session;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RedisSession.Provider;
using StackExchange.Redis;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds sessions that are stored as Redis hashes, in place of <c>AddSession</c>.</summary>
public static class RedisHashSessionServiceCollectionExtensions
{
    /// <summary>
    /// Adds sessions on the <see cref="IConnectionMultiplexer"/> in the service collection. Everything that <c>AddSession</c> adds is added
    /// too; this method takes precedence, regardless of which is called first. Nothing is sent to Redis yet.
    /// </summary>
    /// <exception cref="OptionsValidationException">
    /// Thrown when the application starts, not here: an option is invalid, or no connection is configured. The message names the option and
    /// the remedy.
    /// </exception>
    public static IServiceCollection AddRedisHashSession(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);

        services.AddDataProtection();
        services.RemoveAll<ISessionStore>();
        services.AddTransient<ISessionStore, RedisHashSessionStore>(); // one per pipeline, as in AddSession
        services.AddMetrics();
        services.TryAddSingleton<SessionMetrics>();
        services.TryAddSingleton<SessionTelemetry>();
        services.TryAddSingleton<CookieCache>();
        services.TryAddSingleton<SessionCookie>();
        services.TryAddSingleton<SessionNames>();
        services.TryAddSingleton<SessionChannel>();
        services.TryAddSingleton<ErrorReports>();
        services.TryAddSingleton<SessionTakeover>();
        services.TryAddSingleton<SessionRevival>();
        services.TryAddSingleton<SessionListing>();
        services.TryAddSingleton<ExpiryRefresh>();
        services.TryAddSingleton<SessionReader>();
        services.TryAddSingleton<SessionWriter>();
        services.TryAddSingleton<AtomicChanges>();
        services.TryAddSingleton<KeyRenewal>();
        services.TryAddSingleton<SessionEnding>();
        services.TryAddSingleton<ExclusiveSessions>();
        if (services.All(service => service.ServiceType != typeof(CurrentRequest)))
        {
            services.AddSingleton<CurrentRequest>();

            // First of all, because filters begin the pipeline in this order, and one of the application's may contain UseSession.
            services.Insert(0, ServiceDescriptor.Singleton<IStartupFilter>(provider => provider.GetRequiredService<CurrentRequest>()));
        }

        services.TryAddSingleton<UserLists>();
        services.TryAddSingleton<RenewalsUnderWay>();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IRedisSessionDirectory, RedisSessionDirectory>();
        services.TryAddSingleton<LifecycleQueue>();
        services.TryAddSingleton<ExpiryListener>();

        services.TryAddSingleton(provider => new RedisConnection(
            RedisConnectionSettings.Of(provider.GetRequiredService<IOptions<RedisHashSessionOptions>>().Value),
            provider,
            provider.GetRequiredService<ILogger<RedisConnection>>()));
        services.TryAddSingleton<IRedisSessionConnection>(provider => provider.GetRequiredService<RedisConnection>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, SettingsReport>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, RedisConnectionOpener>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, LifecycleService>());

        services.TryAddTransient<IOptionsFactory<RedisHashSessionOptions>, SessionOptionsMirror>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IPostConfigureOptions<SessionOptions>, SessionOptionsMirror.Elsewhere>());
        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<IValidateOptions<RedisHashSessionOptions>, RedisHashSessionOptionsValidator>());
        services.AddOptions<RedisHashSessionOptions>().ValidateOnStart();
        return services;
    }

    /// <summary>Adds sessions on the server that <paramref name="configuration"/> specifies.</summary>
    /// <param name="services">The service collection.</param>
    /// <param name="configuration">
    /// See <see cref="RedisHashSessionOptions.Configuration"/>: <c>"localhost:6379"</c>, <c>"redis://…"</c>.
    /// </param>
    /// <inheritdoc cref="AddRedisHashSession(IServiceCollection)" path="/exception"/>
    /// <exception cref="ArgumentException">
    /// <paramref name="configuration"/> is empty. The message lists all ways to specify a Redis server, as when none is specified.
    /// </exception>
    public static IServiceCollection AddRedisHashSession(this IServiceCollection services, string configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        if (!string.IsNullOrWhiteSpace(configuration)) return services.AddRedisHashSession(options => options.Configuration = configuration);
        string help = RedisConnectionChoice.Help(RedisConnectionSettings.Of(new RedisHashSessionOptions()));
        throw new ArgumentException(help, nameof(configuration));
    }

    /// <summary>
    /// Adds sessions with the options that <paramref name="configure"/> sets. A lambda written for <c>AddSession</c> works unchanged.
    /// </summary>
    /// <param name="services">The service collection.</param>
    /// <param name="configure">
    /// Sets the options. Called twice: once for the cookie and the timeouts, which are copied to <see cref="SessionOptions"/>, and once for
    /// <see cref="RedisHashSessionOptions"/>.
    /// </param>
    /// <inheritdoc cref="AddRedisHashSession(IServiceCollection)" path="/exception"/>
    public static IServiceCollection AddRedisHashSession(this IServiceCollection services, Action<RedisHashSessionOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        services.AddRedisHashSession();
        var added = new SessionOptionsMirror.Added(configure);
        services.AddSingleton<IConfigureOptions<SessionOptions>>(added);
        services.AddSingleton<IConfigureOptions<RedisHashSessionOptions>>(added);
        return services;
    }

    /// <summary>
    /// Adds sessions with options from configuration: appsettings.json, environment, command line. The names in a section are those of
    /// <see cref="RedisHashSessionOptions"/> (<c>Configuration</c>, <c>KeyPrefix</c>, <c>IdleTimeout</c>, <c>Cookie:Name</c>, …). The names
    /// of redis-session (<c>SESSION_REDIS</c>, <c>--session-redis</c>, …) are read as well, and take precedence. They mean the same as in
    /// redis-session: the prefix <c>app</c> results in <c>app:sessions:…</c>, and if any of them is used and nothing specifies otherwise,
    /// the cookie is Secure.
    /// </summary>
    /// <remarks>
    /// The application does not start if the section contains an unknown name, or if a section was passed that is empty or missing.
    /// Anything below <c>Configuration</c> is ignored. At the root of the whole configuration, which other components share, a name that is
    /// one or two edits away from one of redis-session's is logged as a warning at startup (37).
    /// </remarks>
    /// <param name="services">The service collection.</param>
    /// <param name="section">
    /// A section, or the whole configuration, whose section <c>RedisHashSession</c> is then read for .NET names.
    /// </param>
    /// <inheritdoc cref="AddRedisHashSession(IServiceCollection)" path="/exception"/>
    public static IServiceCollection AddRedisHashSession(this IServiceCollection services, IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(section);
        return services.AddRedisHashSession(options => SessionConfiguration.Apply(section, options));
    }
}
