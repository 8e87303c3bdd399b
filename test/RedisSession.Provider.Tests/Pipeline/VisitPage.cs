using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Forms;
using Microsoft.AspNetCore.Components.Rendering;

namespace RedisSession.Provider.Tests;

/// <summary>A page of Blazor that counts visits in the session. Public, or it would not be found.</summary>
[Route("/page")]
[StreamRendering]
public sealed class VisitPage : ComponentBase
{
    private int _visit;
    private string _loaded = "loading";
    private string _posted = "";

    [CascadingParameter]
    public HttpContext Context { get; set; } = null!;

    protected override async Task OnInitializedAsync()
    {
        _visit = Context.Session.GetInt("visit") + 1;
        Context.Session.SetValue("visit", _visit);

        // The response starts here, with what there is.
        await Task.Delay(20);
        _loaded = $"loaded {await Context.Session.GetIntAsync("visit")}";
    }

    protected override void BuildRenderTree(RenderTreeBuilder builder)
    {
        builder.AddContent(0, $"visit {_visit}, then {_loaded}{_posted}");
        builder.OpenElement(1, "form");
        builder.AddAttribute(2, "method", "post");
        builder.AddAttribute(3, "onsubmit", EventCallback.Factory.Create(this, () => _posted = $", posted in visit {_visit}"));
        builder.AddNamedEvent("onsubmit", "form");
        builder.OpenComponent<AntiforgeryToken>(4);
        builder.CloseComponent();
        builder.CloseElement();
    }
}
