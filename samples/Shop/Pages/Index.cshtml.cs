using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using RedisSession.Provider;

namespace Shop.Pages;

/// <summary>The shop front. Each form posts to a handler here, which changes the session and redirects back to the front.</summary>
public sealed class IndexModel(VisitorSessions visitorSessions) : PageModel
{
    public long Visits { get; private set; }

    public string Notice { get; private set; } = "";

    public IReadOnlyList<CartLine> Lines { get; private set; } = [];

    /// <summary>All of the visitor's sessions; empty if not signed in.</summary>
    public IReadOnlyList<SessionInfo> Sessions { get; private set; } = [];

    public Visitor Visitor => new(HttpContext.Session);

    public Discount Discount => new(HttpContext.Session);

    private Cart Cart => new(HttpContext.Session);

    private Notice NextNotice => new(HttpContext.Session);

    public async Task OnGetAsync()
    {
        Visits = await Visitor.CountVisitAsync();
        Notice = await NextNotice.TakeAsync();
        Lines = await Cart.ReadAsync();
        if (Visitor.Name is { Length: > 0 } name) Sessions = await visitorSessions.FindAsync(name);
    }

    public async Task<IActionResult> OnPostAddAsync(string? product)
    {
        if (Catalogue.Find(product) is not { } found) return NotFound();
        await Cart.AddAsync(found, 1);
        return RedirectToPage();
    }

    public async Task<IActionResult> OnPostRemoveAsync(string? product)
    {
        if (Catalogue.Find(product) is not { } found) return NotFound();
        await Cart.RemoveAsync(found);
        return RedirectToPage();
    }

    public async Task<IActionResult> OnPostMakeCodeAsync()
    {
        if (!await Discount.TryMakeCodeAsync())
        {
            NextNotice.Leave(
                "No codes here: this Redis cannot let a single session key expire. Redis 7.4, Valkey 9 and the embedded server can.");
        }

        return RedirectToPage();
    }

    public async Task<IActionResult> OnPostRedeemAsync(string? code)
    {
        bool isGood = await Discount.RedeemAsync(code?.Trim() ?? "");
        NextNotice.Leave(isGood ? $"{Discount.Percent} % off, with our thanks." : "That code is not good, or not any more.");
        return RedirectToPage();
    }

    public async Task<IActionResult> OnPostSignInAsync(string? name)
    {
        name = name?.Trim();
        if (name is not { Length: > 0 and <= Visitor.MaxNameLength }) return BadRequest();
        await Visitor.SignInAsync(HttpContext, name);
        return RedirectToPage(); // no page is requested before Redis has the name: the write is confirmed before the redirect is sent
    }

    public async Task<IActionResult> OnPostSignOutAsync()
    {
        await Visitor.SignOutAsync(HttpContext);
        return RedirectToPage();
    }

    public async Task<IActionResult> OnPostSignOutOneAsync(string? id)
    {
        if (Visitor.Name is not { Length: > 0 } name || id is not { Length: > 0 }) return NotFound();
        if (id == HttpContext.Session.Id) return await OnPostSignOutAsync(); // deletes the cookie too
        return await visitorSessions.EndAsync(name, id) ? RedirectToPage() : NotFound();
    }

    public async Task<IActionResult> OnPostSignOutOthersAsync()
    {
        if (Visitor.Name is { Length: > 0 } name) await visitorSessions.EndOthersAsync(name, HttpContext.Session.Id);
        return RedirectToPage();
    }
}
