"""What a model can do in pages, and what it is shown."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright
from tests.support.browsers import PROGRAM, SECONDS, browsing, error_of, needs_browser, text_of
from tests.support.effect_recorder import EffectRecorder
from tests.support.web_server import serving
from tests.support.web_site import Site, answered, redirected, web_site

from symposia.core.effects import handle_effects
from symposia.core.tools import ImageResultContent, call_tool
from symposia.ext.tools.browser import BrowserWorkbench

pytestmark = [needs_browser, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

SHOP = """<!doctype html><title>Shop</title><meta name="author" content="Ann"><h1>The shop</h1>
<p>Fresh <b>tea</b> from <a href="/tea">the hills</a>. <a href="/offer" target="_blank">Offer</a></p>
<form action="/search"><input name="q" placeholder="Search"><select name="size"><option>Small<option>Large</select>
<input type="password" name="secret" value="hunter2"><button>Go</button><button disabled>Off</button></form>
<table><tr><th>Tea<th>Price<tr><td>Green<td>4|5</table><ul><li>one<li>two</ul><pre>a  b</pre>
<p style="display:none">invisible words</p><script>var hidden = "script words"</script>
<div id="shadow"></div><script>document.getElementById("shadow").attachShadow({mode: "open"}).innerHTML =
 "<button onclick='document.title=\\"Pressed\\"'>In the shadow</button>"</script>
<div style="height:90px;overflow-y:scroll" id="box" role="list"><p style="height:900px">Long</p></div>
<div style="height:700px"></div><p>The very end</p><button onclick="this.innerText='Bought'">Buy</button>"""
PAGES = {
    "/": SHOP,
    "/tea": "<title>Tea</title><p>All about tea</p>",
    "/offer": "<title>Offer</title><p>Half the price</p>",
    "/search": "<title>Results</title><p>found</p>",
    "/covered": "<button>Below</button><div style='position:fixed;inset:0;background:#fff'><button>Above</button>",
    "/many": "".join(f"<a href=/{n}>Link {n}</a> " for n in range(10_000)),
    "/long": "<p>" + "word " * 20_000,
    "/file": answered(b"\0\1" * 500, "application/octet-stream", 'Content-Disposition: attachment; filename="a b.bin"'),
    "/fields": "<input type=date name=day><input type=checkbox name=gift><select name=land>"
    + "".join(f"<option>Land {n}" for n in range(31)),
    "/moved": redirected("/tea"),
    "/stuck": "<script>const r = new XMLHttpRequest(); r.open('GET', '/never', false); r.send()</script>",
    "/onwards": "<title>Onwards</title><script>setTimeout(() => location = '/onwards?' + Math.random(), 60)</script>",
}  # fmt: skip


@dataclass
class Place:
    """A site, and two browsers of the program's own Chromium; the hasty one gives pages up soon, and saves no files."""

    site: Site
    browser: BrowserWorkbench
    hasty: BrowserWorkbench
    downloads: Path
    screenshots: Path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Place, None]:
    downloads, screenshots = tmp_path_factory.mktemp("downloads"), tmp_path_factory.mktemp("screenshots")
    async with web_site(PAGES) as site, async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=PROGRAM)
        async with (
            browsing(
                start_page=site.url(),
                private_hosts=[site.host],
                downloads_folder=str(downloads),
                screenshot_folder=str(screenshots),
                search_url=site.url("/search?q={query}"),
                context=await chromium.new_context(),
            ) as browser,
            browsing(private_hosts=["*"], timeout=5, screenshots=False, context=await chromium.new_context()) as hasty,
        ):
            yield Place(site, browser, hasty, downloads, screenshots)
        await chromium.close()


async def open_shop(place: Place) -> str:
    return await text_of(place.browser, "visit_url", url=place.site.url())


def number(view: str, name: str) -> int:
    line = next(line for line in view.splitlines() if repr(name) in line)
    return int(line[1:].partition("]")[0])


async def test_the_first_look_shows_the_start_page_with_numbered_elements(place: Place) -> None:
    await place.browser.reset()
    result = await place.browser.call_tool("look")
    text = result.to_text("[picture]")
    assert "Page: Shop" in text
    assert f"Address: {place.site.url()}" in text
    for line in (
        "[1] a 'the hills'",
        "[3] input/text 'Search'",
        "select/select-one 'size' = 'Small' (options: 'Small', 'Large')",
        "'In the shadow'",
    ):
        assert line in text
    assert "hunter2" not in text
    assert "Off'" not in text  # cannot be clicked
    assert "Fresh" in text
    assert "invisible words" not in text
    assert [type(piece) for piece in result.result][-1] is ImageResultContent
    assert list(place.screenshots.iterdir())


async def test_clicking_opens_pages_and_history_goes_back(place: Place) -> None:
    view = await open_shop(place)
    assert "Page: Tea" in await text_of(place.browser, "click", target_id=number(view, "the hills"))
    assert "Page: Shop" in await text_of(place.browser, "history_back")
    assert "Page: Offer" in await text_of(place.browser, "click", target_id=number(view, "Offer"))
    assert "Page: Shop" in await text_of(place.browser, "history_back")


async def test_a_form_is_filled_in_and_sent(place: Place) -> None:
    view = await open_shop(place)
    size, field = number(view, "size"), number(view, "Search")
    await text_of(place.browser, "input_text", input_field_id=size, text_value="Large")
    shown = await text_of(
        place.browser, "input_text", input_field_id=field, text_value="oolong", press_enter=False, reasoning="ignored"
    )
    assert "'Search' = 'oolong'" in shown
    sent = await text_of(place.browser, "input_text", input_field_id=field, text_value="grün & 1")
    assert "Page: Results" in sent
    assert "GET /search?q=gr%C3%BCn+%26+1&size=Large&secret=hunter2" in place.site.asked


async def test_elements_in_a_shadow_root_and_out_of_view_are_clicked(place: Place) -> None:
    view = await open_shop(place)
    assert "Page: Pressed" in await text_of(place.browser, "click", target_id=number(view, "In the shadow"))
    assert "'Bought'" in await text_of(place.browser, "click", target_id=number(view, "Buy"))


async def test_scrolling_moves_the_view_and_an_element_of_its_own(place: Place) -> None:
    view = await open_shop(place)
    assert "The very end" not in view.partition("Text in view:")[2]
    box = next(int(line[1:].partition("]")[0]) for line in view.splitlines() if line.endswith(", scrolls"))
    assert "Scrolled the element" in await text_of(place.browser, "scroll_down", target_id=box)
    seen = view
    for _ in range(3):
        seen = await text_of(place.browser, "scroll_down")
    assert "The very end" in seen
    assert "Further up:\n[1] a 'the hills'" in seen
    for _ in range(3):
        seen = await text_of(place.browser, "scroll_up")
    assert "Shown: 0%" in seen


async def test_a_search_asks_the_address_of_searches(place: Place) -> None:
    assert "Page: Results" in await text_of(place.browser, "web_search", query="green tea?")
    assert "GET /search?q=green+tea%3F" in place.site.asked


async def test_hovering_and_waiting_show_the_page_and_reading_gives_it_as_markdown(place: Place) -> None:
    view = await open_shop(place)
    assert "Page: Shop" in await text_of(place.browser, "hover", target_id=number(view, "Offer"))
    assert "Page: Shop" in await text_of(place.browser, "sleep", duration=0)
    text = await text_of(place.browser, "read_page")
    for part in (
        "# The shop",
        f"[the hills]({place.site.url('/tea')})",
        "| Tea | Price |\n| --- | --- |\n| Green | 4\\|5 |",
        "- one\n- two",
        "```\na  b\n```",
    ):
        assert part in text
    for hidden in ("invisible words", "script words", "hunter2"):
        assert hidden not in text


async def test_a_long_page_is_read_in_parts(place: Place) -> None:
    await text_of(place.browser, "visit_url", url=place.site.url("/long"))
    first = await text_of(place.browser, "read_page")
    assert len(first) < 21_000
    assert "from character 0 of 99,999" in first
    assert "read it from character 20000" in first
    assert "from character 90,000" in await text_of(place.browser, "read_page", start=90_000)


async def test_a_covered_element_has_no_number(place: Place) -> None:
    view = await text_of(place.browser, "visit_url", url=place.site.url("/covered"))
    assert "'Above'" in view
    assert "'Below'" not in view


async def test_the_number_of_elements_and_the_length_of_a_view_are_limited(place: Place) -> None:
    view = await text_of(place.browser, "visit_url", url=place.site.url("/many"))
    assert "'Link 298'" in view
    assert "'Link 300'" not in view.partition("Text in view")[0]
    assert len(view) < 21_000


async def test_mistakes_of_the_model_are_results_that_show_the_page(place: Place) -> None:
    view = await open_shop(place)
    result = await place.browser.call_tool("click", {"target_id": 999})
    assert result.is_error
    assert "There is no element 999" in result.to_text("")
    assert "[1] a 'the hills'" in result.to_text("")
    error = await error_of(place.browser, "input_text", input_field_id=number(view, "size"), text_value="Huge")
    assert error.endswith("the list has no such option. Take one of its options as they are shown.")
    assert "Wrong arguments for the tool 'click'" in await error_of(place.browser, "click", target_id="x'] *")
    assert await error_of(place.browser, "teleport") == "Tool teleport not found."


async def test_a_field_that_does_not_take_a_text_is_an_error_that_says_what_it_takes(place: Place) -> None:
    view = await text_of(place.browser, "visit_url", url=place.site.url("/fields"))
    assert "'Land 29', '…')" in view
    day, gift = number(view, "day"), number(view, "gift")
    error = await error_of(place.browser, "input_text", input_field_id=day, text_value="23.11.2026")
    assert error.endswith("of the type 'date', and takes a value such as 2026-11-23.")
    view = await text_of(place.browser, "input_text", input_field_id=day, text_value="2026-11-23", press_enter=False)
    assert "'day' = '2026-11-23'" in view
    error = await error_of(place.browser, "input_text", input_field_id=gift, text_value="yes")
    assert error.endswith("it is no field for text. Click it instead.")


async def test_a_file_is_saved_in_the_folder_under_a_free_name(place: Place) -> None:
    for name in ("a b.bin", "a b-2.bin"):
        text = await text_of(place.browser, "visit_url", url=place.site.url("/file"))
        saved = next(path for path in place.downloads.iterdir() if path.name.endswith(name))
        assert f"The file '{saved.name}' (1,000 bytes) was downloaded to {saved}." in text
        assert saved.read_bytes() == b"\0\1" * 500
    assert {path.parent for path in place.downloads.rglob("*")} == {place.downloads}


async def test_calls_at_the_same_time_are_done_one_after_another(place: Place) -> None:
    elsewhere = asyncio.create_task(text_of(place.hasty, "visit_url", url=place.site.url("/offer")))
    texts = await asyncio.gather(*(text_of(place.browser, "visit_url", url=place.site.url(p)) for p in ("/moved", "/")))
    assert "Page: Tea" in texts[0]
    assert "Page: Shop" in texts[1]
    assert "Page: Offer" in await elsewhere


async def test_a_call_is_an_effect_with_its_pictures(place: Place) -> None:
    recorder = EffectRecorder()
    with handle_effects(recorder):
        result = await call_tool(place.browser, "look")
    (effect,) = recorder.effects
    assert (effect.kind.name, effect.idempotency) == ("tool", "idempotent")
    encoded = effect.kind.encode_result(result)
    assert effect.kind.decode_result(encoded) == result


async def test_a_page_without_an_answer_is_given_up_in_time(place: Place) -> None:
    never = place.site.url("/never")
    assert await error_of(place.hasty, "visit_url", url=never) == (
        f"{never} was not loaded: the server did not answer within 2.5 seconds."
    )
    stuck = await error_of(place.hasty, "visit_url", url=place.site.url("/stuck"))
    assert stuck == "The page did not answer within 5 seconds, and was closed. An empty one is open."
    assert "Address: about:blank" in await text_of(place.hasty, "look")


async def test_a_page_that_goes_on_without_end_can_be_left(place: Place) -> None:
    result = await place.hasty.call_tool("visit_url", {"url": place.site.url("/onwards")})
    if result.is_error:  # else it was read between two pages
        assert "without end" in result.to_text() or "did not answer" in result.to_text()
    while "Page: Shop" not in result.to_text():  # the page before may have gone on meanwhile
        result = await place.hasty.call_tool("visit_url", {"url": place.site.url("/")})


async def test_a_page_that_never_ends_is_used_as_far_as_it_has_come(place: Place) -> None:
    left = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<title>Part</title><p>part" + b" " * 5000)
        await writer.drain()
        await reader.read()  # until the browser loads no more
        left.set()

    async with serving(drip) as port:
        seen = await text_of(place.hasty, "visit_url", url=f"http://127.0.0.1:{port}/")
        assert "Page: Part" in seen
        await asyncio.wait_for(left.wait(), SECONDS)


async def test_a_file_without_a_folder_for_it_is_not_saved(place: Place) -> None:
    text = await text_of(place.hasty, "visit_url", url=place.site.url("/file"))
    assert "The address is a file ('a b.bin') and no page. It was not downloaded: this browser saves no files." in text
