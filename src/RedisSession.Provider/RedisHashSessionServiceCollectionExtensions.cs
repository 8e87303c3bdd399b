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

/// <summary>Adds sessions that are Redis hashes, in the place of <c>AddSession</c>.</summary>
public static class RedisHashSessionServiceCollectionExtensions
{
    /// <summary>
    /// Adds sessions kept by the <see cref="IConnectionMultiplexer"/> in the service collection. All that <c>AddSession</c> adds is added
    /// too, and whichever is called first, this one wins. Nothing is sent to Redis yet.
    /// </summary>
    /// <exception cref="OptionsValidationException">
    /// Thrown when the application starts, not here: an option cannot work, or there is no connection; the message says which and what to
    /// do.
    /// </exception>
    public static IServiceCollection AddRedisHashSession(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);

        services.AddDataProtection();
        services.RemoveAll<ISessionStore>();
        services.AddTransient<ISessionStore, RedisHashSessionStore>(); // one for each pipeline, as AddSession has it
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
        services.TryAddSingleton<CurrentRequest>();
        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<IStartupFilter, CurrentRequest>(provider => provider.GetRequiredService<CurrentRequest>()));
        services.TryAddSingleton<UserLists>();
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

        services.TryAddEnumerable(ServiceDescriptor.Singleton<IPostConfigureOptions<RedisHashSessionOptions>, SessionOptionsMirror>());
        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<IValidateOptions<RedisHashSessionOptions>, RedisHashSessionOptionsValidator>());
        services.AddOptions<RedisHashSessionOptions>().ValidateOnStart();
        return services;
    }

    /// <summary>Adds sessions kept by the server that <paramref name="configuration"/> names.</summary>
    /// <param name="services">The service collection.</param>
    /// <param name="configuration">
    /// See <see cref="RedisHashSessionOptions.Configuration"/>: <c>"localhost:6379"</c>, <c>"redis://…"</c>.
    /// </param>
    /// <inheritdoc cref="AddRedisHashSession(IServiceCollection)" path="/exception"/>
    /// <exception cref="ArgumentException">
    /// <paramref name="configuration"/> is empty; the message says all ways to name a Redis, as when none is given.
    /// </exception>
    public static IServiceCollection AddRedisHashSession(this IServiceCollection services, string configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        if (!string.IsNullOrWhiteSpace(configuration)) return services.AddRedisHashSession(options => options.Configuration = configuration);
        string help = RedisConnectionChoice.Help(RedisConnectionSettings.Of(new RedisHashSessionOptions()));
        throw new ArgumentException(help, nameof(configuration));
    }

    /// <summary>
    /// Adds sessions with the options that <paramref name="configure"/> sets: a lambda that was written for <c>AddSession</c> fits.
    /// </summary>
    /// <param name="services">The service collection.</param>
    /// <param name="configure">
    /// Sets options; called twice, since the cookie and the timeouts go to <see cref="SessionOptions"/>, and its own options to
    /// <see cref="RedisHashSessionOptions"/>.
    /// </param>
    /// <inheritdoc cref="AddRedisHashSession(IServiceCollection)" path="/exception"/>
    public static IServiceCollection AddRedisHashSession(this IServiceCollection services, Action<RedisHashSessionOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        services.AddRedisHashSession();
        services.Configure<SessionOptions>(session => SessionOptionsMirror.Apply(session, configure));
        services.Configure(configure);
        return services;
    }

    /// <summary>
    /// Adds sessions with the options that configuration holds: appsettings.json, environment, command line. The names in a section are
    /// those of <see cref="RedisHashSessionOptions"/> (<c>Configuration</c>, <c>KeyPrefix</c>, <c>IdleTimeout</c>, <c>Cookie:Name</c>, …);
    /// the names of redis-session (<c>SESSION_REDIS</c>, <c>--session-redis</c>, …) are read too and win. They mean what they mean there:
    /// the prefix <c>app</c> is <c>app:sessions:…</c>, and where one of them is in use and nothing says otherwise, the cookie is Secure.
    /// </summary>
    /// <remarks>
    /// A name in the section that is not known stops the start, and so does a section that is given and empty or not there. What is below
    /// <c>Configuration</c> is left alone. At the root of the whole configuration, where others have names too, one that is one or two
    /// edits from one of redis-session's is a warning in the log at the start (37).
    /// </remarks>
    /// <param name="services">The service collection.</param>
    /// <param name="section">
    /// A section, or the whole configuration: then .NET names are read in its section <c>RedisHashSession</c>.
    /// </param>
    /// <inheritdoc cref="AddRedisHashSession(IServiceCollection)" path="/exception"/>
    public static IServiceCollection AddRedisHashSession(this IServiceCollection services, IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(section);
        return services.AddRedisHashSession(options => SessionConfiguration.Apply(section, options));
    }
}
