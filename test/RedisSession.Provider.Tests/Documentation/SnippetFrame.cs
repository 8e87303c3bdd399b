namespace RedisSession.Provider.Tests;

/// <summary>
/// What a reader has in mind around a piece of C# in the documentation. A piece is what a file of a web project can have: usings, statements
/// as in Program.cs, types. Beside the usings and names here it has the types of all other pieces of its document; what it declares itself
/// counts before all of that.
/// </summary>
internal static class SnippetFrame
{
    public const string Source = """
        // What a web project has by itself,
        global using Microsoft.AspNetCore.Builder;
        global using Microsoft.AspNetCore.Hosting;
        global using Microsoft.AspNetCore.Http;
        global using Microsoft.AspNetCore.Routing;
        global using Microsoft.Extensions.Configuration;
        global using Microsoft.Extensions.DependencyInjection;
        global using Microsoft.Extensions.Hosting;
        global using Microsoft.Extensions.Logging;
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Net.Http.Json;
        global using System.Threading;
        global using System.Threading.Tasks;

        // and what an editor offers to add.
        global using Microsoft.AspNetCore.DataProtection;
        global using Microsoft.AspNetCore.DataProtection.KeyManagement;
        global using Microsoft.AspNetCore.DataProtection.StackExchangeRedis;
        global using OpenTelemetry.Metrics;
        global using OpenTelemetry.Trace;
        global using RedisSession.Provider;
        global using StackExchange.Redis;
        global using System.Security.Claims;
        global using System.Security.Cryptography;
        global using System.Text.Json;
        global using System.Text.Json.Serialization;
        global using static Around;

        // Filled in where a piece is run: see Example.
        internal static class Around
        {
            public static Func<WebApplication> Build { get; set; } = null!;
            public static WebApplication? Built { get; set; }
            public static void Run(WebApplication own) => Built = own;

            public static WebApplicationBuilder builder { get; set; } = null!;
            public static WebApplication app => Built ??= Build();
            public static RedisHashSessionOptions options { get; set; } = null!;
            public static HttpContext context { get; set; } = null!;
            public static ISession session => context.Session;
            public static IRedisSessionDirectory sessions => context.RequestServices.GetRequiredService<IRedisSessionDirectory>();
            public static CancellationToken cancellationToken => default;
        }

        // The reader's own.
        public partial class Program;

        internal sealed class Cart
        {
            public Dictionary<string, int> Items { get; set; } = [];
        }

        internal sealed class ShopDb
        {
            public Task MoveReservationsAsync(string fromSession, string toSession, CancellationToken cancellationToken) => Task.CompletedTask;
            public Task ReleaseReservationsAsync(string session, CancellationToken cancellationToken) => Task.CompletedTask;
            public Task<IReadOnlyList<string>> ReservingSessionsAsync(CancellationToken cancellationToken) =>
                Task.FromResult<IReadOnlyList<string>>([]);
        }
        """;
}
