using System.Buffers;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace RedisSession.Provider;

/// <summary>Fails the startup of an application whose options cannot work. Each message names the option and the remedy.</summary>
internal sealed class RedisHashSessionOptionsValidator(IServiceProviderIsKeyedService services) : IValidateOptions<RedisHashSessionOptions>
{
    private static readonly TimeSpan OneMillisecond = TimeSpan.FromMilliseconds(1);

    private static readonly SearchValues<char> CookieNameCharacters = SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~");

    public ValidateOptionsResult Validate(string? name, RedisHashSessionOptions options)
    {
        var errors = FindErrors(options).ToList();
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private IEnumerable<string> FindErrors(RedisHashSessionOptions options)
    {
        if (RedisConnectionChoice.FindError(RedisConnectionSettings.Of(options), services) is { } error) yield return error;
        if (options.KeyPrefix is null) yield return $"{nameof(options.KeyPrefix)} is null: use \"\" for none.";
        foreach (string wrong in KeyText.FindErrors(
            (nameof(options.KeyPrefix), options.KeyPrefix), (nameof(options.TakeOverSessions), options.InstanceNameOfLeft)))
        {
            yield return wrong;
        }

        if (options.KeyPrefix is { } prefix && !SessionHashLayout.IsParkedInSlot(prefix))
        {
            yield return $"{nameof(options.KeyPrefix)} is '{prefix}': use no braces, or text in a pair of them, such as {{app}}:, "
                + "as the hash tag of a Redis Cluster. With any other, the keys of one session would be on different servers.";
        }

        if (!Enum.IsDefined(options.Mode)) yield return $"{nameof(options.Mode)} is {options.Mode}: use {Names<RedisSessionMode>()}.";
        if (!Enum.IsDefined(options.FailureMode))
        {
            yield return $"{nameof(options.FailureMode)} is {options.FailureMode}: use {Names<FailureMode>()}.";
        }

        if (options.IdleTimeout < OneMillisecond)
        {
            yield return $"{nameof(options.IdleTimeout)} is {options.IdleTimeout}: it must be one millisecond or more, such as 00:20:00.";
        }

        if (options.IOTimeout < OneMillisecond && options.IOTimeout != Timeout.InfiniteTimeSpan)
        {
            yield return $"{nameof(options.IOTimeout)} is {options.IOTimeout}: "
                + "it must be one millisecond or more, or Timeout.InfiniteTimeSpan.";
        }

        if (options.IOTimeout.TotalMilliseconds > int.MaxValue)
        {
            yield return $"{nameof(options.IOTimeout)} is {options.IOTimeout}: it must be 24 days or less, or Timeout.InfiniteTimeSpan.";
        }

        if (options.RefreshInterval < TimeSpan.Zero)
        {
            yield return $"{nameof(options.RefreshInterval)} is {options.RefreshInterval}: "
                + "it must be a positive duration, or zero to refresh with each request.";
        }

        if (options.AbsoluteTimeout < OneMillisecond)
        {
            yield return $"{nameof(options.AbsoluteTimeout)} is {options.AbsoluteTimeout}: "
                + "it must be one millisecond or more, or null for none.";
        }

        if (options.WaitForReplicas < 0)
        {
            yield return $"{nameof(options.WaitForReplicas)} is {options.WaitForReplicas}: it must be 0 for none, or a number of replicas.";
        }

        if (OutageError(options.OutageTolerance) is { } outage) yield return outage;
        if (options.MaxPendingEvents < 1)
        {
            yield return $"{nameof(options.MaxPendingEvents)} is {options.MaxPendingEvents}: it must be 1 or more.";
        }

        if (options.CookieCacheSize is < 0 or > 1 << 24)
        {
            yield return $"{nameof(options.CookieCacheSize)} is {options.CookieCacheSize}: it must be 0 for none, or a number of cookies.";
        }

        if (options is { InstanceNameOfLeft: not null, TakesOverFromCache: true })
        {
            yield return $"{nameof(options.TakeOverSessions)} and {nameof(options.TakeOverSessionsFromDistributedCache)} are both called: "
                + "call the one for the store that AddSession used.";
        }

        if (options.TakesOverFromCache && !services.IsService(typeof(IDistributedCache)))
        {
            yield return $"{nameof(options.TakeOverSessionsFromDistributedCache)} is called, but there is no IDistributedCache: "
                + "keep the one that AddSession used in the service collection.";
        }

        if (options.Cookie?.MaxAge <= TimeSpan.Zero)
        {
            yield return $"{nameof(options.Cookie)}.MaxAge is {options.Cookie.MaxAge}: browsers would remove the cookie at once. "
                + "It must be more than zero, or null for none.";
        }

        if (options.Cookie?.Name is not { Length: > 0 } cookie)
        {
            yield return $"{nameof(options.Cookie)}.Name is missing: give the cookie a name, such as .AspNetCore.Session.";
        }
        else if (cookie.AsSpan().IndexOfAnyExcept(CookieNameCharacters) >= 0)
        {
            yield return $"{nameof(options.Cookie)}.Name is '{cookie}': "
                + "a cookie's name can only contain letters, digits and !#$%&'*+-.^_`|~ (RFC 6265).";
        }
    }

    /// <summary>What is wrong with an OutageTolerance, or null.</summary>
    internal static string? OutageError(TimeSpan tolerance) => tolerance >= TimeSpan.Zero && tolerance.TotalMilliseconds <= int.MaxValue
        ? null
        : $"{nameof(RedisHashSessionOptions.OutageTolerance)} is {tolerance}: it must be 0 for none, or a duration of 24 days or less.";

    private static string Names<T>()
        where T : struct, Enum => string.Join(" or ", Enum.GetNames<T>());
}
