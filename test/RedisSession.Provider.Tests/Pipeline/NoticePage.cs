using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.AspNetCore.Mvc.ViewFeatures;
using Microsoft.AspNetCore.Razor.Hosting;

[assembly: RazorCompiledItem(typeof(RedisSession.Provider.Tests.NoticePage), "mvc.1.0.razor-page", "/Pages/Notice.cshtml")]

namespace RedisSession.Provider.Tests;

/// <summary>A Razor Page as the Razor compiler writes it. It shows a notice once: on the page that a post redirects to.</summary>
internal sealed class NoticePage : Page
{
    public NoticeModel Model => ((ViewDataDictionary<NoticeModel>)PageContext.ViewData).Model;

    public override Task ExecuteAsync()
    {
        WriteLiteral(Model.Notice ?? "none");
        return Task.CompletedTask;
    }
}

[IgnoreAntiforgeryToken]
internal sealed class NoticeModel : PageModel
{
    [TempData]
    public string? Notice { get; set; }

    public RedirectToPageResult OnPost()
    {
        Notice = "saved";
        return RedirectToPage();
    }
}
