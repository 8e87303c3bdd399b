using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Shop.Pages;

/// <summary>The shop front. Each form posts to a handler here, changes the session, and is sent back to the front.</summary>
public sealed class IndexModel : PageModel
{
    public int Visits { get; private set; }

    public IReadOnlyList<CartLine> Lines { get; private set; } = [];

    public Visitor Visitor => new(HttpContext.Session);

    private Cart Cart => new(HttpContext.Session);

    public async Task OnGetAsync()
    {
        Visits = await Visitor.CountVisitAsync();
        Lines = await Cart.ReadAsync();
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

    public async Task<IActionResult> OnPostSignInAsync(string? name)
    {
        name = name?.Trim();
        if (name is not { Length: > 0 and <= Visitor.MaxNameLength }) return BadRequest();
        await Visitor.SignInAsync(HttpContext, name);
        return RedirectToPage(); // no page can be asked for before Redis has the name: that is confirmed before the redirect leaves
    }

    public async Task<IActionResult> OnPostSignOutAsync()
    {
        await Visitor.SignOutAsync(HttpContext);
        return RedirectToPage();
    }
}
