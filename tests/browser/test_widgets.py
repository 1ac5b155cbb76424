"""Widgets in a real browser, in a chat and alone. The demos here are small and plain."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import fastapi
import gradio as gr
import pytest
from fastapi.responses import HTMLResponse
from PIL import Image

from demos.base import (
    Bars,
    Choice,
    Demo,
    DemoError,
    Note,
    Picture,
    Piece,
    Slider,
    Strip,
    Table,
    Text,
    Toggle,
    Tokens,
    View,
    Words,
    data_uri,
)
from interface import bridge, demo_page

INJECTION = "<img src=x onerror=alert(1)> ${alert(2)} {{value}} </script>"
closed: list[str] = []  # names of the demos whose generator was closed early


def show_all(text: str, steps: int, mood: str, place: str, loud: bool) -> Iterator[View]:
    """One view of each kind."""
    yield Bars({"negative": 0.94, "positive": 0.06})
    yield Words(
        (("what", 0.0), ("a", 0.01), ("waste", -0.9), ("of", 0.0), ("fun", 0.6)), "down", "up"
    )
    shades = [Image.new("RGB", (64, 64), (255, 20 * i, 40)) for i in range(steps)]
    frames: list[Picture] = []
    for i, shade in enumerate(shades):
        frames.append(Picture(data_uri(shade), f"step {i}", f"step {i}"))
        yield Strip(tuple(frames), expected=steps)
    yield Picture(data_uri(shades[0]), "the first shade", "before", key="first")
    yield Picture(data_uri(shades[-1]), "the last shade", "after", key="last")
    yield Table(("who", "how much"), ((text, 0.123456), (mood + place, 7)), title="Who said what")
    yield Note(f"You said {text}{'!' if loud else ''}")


def count(to: int) -> Iterator[View]:
    """Counts slowly; notes when it is closed before the end."""
    try:
        for i in range(int(to)):
            time.sleep(0.02)
            yield Note(f"count {i + 1}", key="count")
    except GeneratorExit:
        closed.append("count")
        raise


def burst(seed: int) -> Iterator[View]:
    """Thousands of views at once: only the last one matters."""
    for i in range(3000):
        yield Note(f"view {i + 1}", key=f"note {i % 3}")
    yield Note(f"burst {seed:g} over", key="end")


def write(start: str) -> Iterator[View]:
    """A text with alternatives at two places."""
    near = Piece(" there", 0.6, ((" there", 0.6), (" here", 0.3), ("<b>bold</b>", 0.1)))
    yield Tokens((Piece(" was", 0.9), near, Piece(".", 0.4, (("!", 0.35),))), start, grow="start")


def fail(text: str) -> Iterator[View]:
    """Refuses `no`, and breaks over anything else."""
    if text == "no":
        raise DemoError("Text is 'no'; say something else.")
    yield Note("so far so good")
    raise RuntimeError("a secret of the server")


def demo(slug: str, run: Callable[..., Iterator[View]], *inputs: Any, **more: Any) -> Demo:
    """A demo with the rest filled in."""
    rest = {"side": "predict", "topic": slug, "summary": f"Shows {slug}.", "title": slug.title()}
    return Demo(slug=slug, run=run, inputs=inputs, **{**rest, **more})


ALL_INPUTS = (
    Text(name="text", label="Text", default="hello", help="Anything you like."),
    Slider(name="steps", label="Steps", minimum=2, maximum=12, default=6),
    Choice(name="mood", label="Mood", options=("calm", "wild"), default="calm"),
    Choice(name="place", label="Place", options=tuple("abcdefgh"), default="c"),
    Toggle(name="loud", label="Say it loud"),
)
EXAMPLES = ({"text": "first example"}, {"text": "second example", "mood": "wild"})
DEMOS = {
    one.slug: one
    for one in (
        demo("all", show_all, *ALL_INPUTS, examples=EXAMPLES, credits=("Made here.",), side="both"),
        demo("count", count, Slider(name="to", label="To", minimum=1, maximum=2000, default=2000)),
        demo("burst", burst, Slider(name="seed", label="Seed", minimum=0, maximum=9)),
        demo("write", write, Text(name="start", label="Start", default="It"), side="create"),
        demo("fail", fail, Text(name="text", label="Text", default="no")),
    )
}


def conversation(more: int = 0) -> list[dict[str, Any]]:
    """A chat with widgets, their inputs hostile where they can be; `more` messages follow."""
    calls = [("all", {"text": INJECTION}), ("count", {}), ("burst", {}), ("burst", {"seed": 1})]
    calls += [("write", {}), ("fail", {"constructor": INJECTION})]
    said = [
        {"role": "assistant", "content": ["Try it.", part(slug, inputs, f"w{i}")]}
        for i, (slug, inputs) in enumerate(calls)
    ]
    return said + [{"role": "user", "content": f"message {i}"} for i in range(more)]


def part(slug: str, inputs: dict[str, Any], wid: str, **more: Any) -> gr.HTML:
    """A widget as the chat makes one."""
    return bridge.widget(slug, inputs, wid, DEMOS[slug].describe(), **more)


def swapped() -> list[dict[str, Any]]:
    """Another conversation, whose widget is to run by itself."""
    widget = part("count", {"to": 3}, "other", autorun=True)
    return [{"role": "assistant", "content": ["Try this.", widget]}]


def build() -> gr.Blocks:
    """A chat that shows widgets, and buttons that change the conversation."""
    with gr.Blocks() as blocks:
        bridge.bridge(DEMOS, {})
        more, swap = gr.Button("more"), gr.Button("swap")
        chat = gr.Chatbot(conversation(), height=5000)
        more.click(lambda: conversation(2), None, chat)
        swap.click(swapped, None, chat)
    return blocks


@pytest.fixture(scope="module")
def address(serve: Callable[[Any], Any]) -> Iterator[str]:
    """The address of a server with the chat and the pages of single demos."""
    app = fastapi.FastAPI()
    demo_page.mount(app, DEMOS, {})
    elsewhere = '<iframe src="http://127.0.0.1:%d/demo/write?start=They" height="600"></iframe>'
    app.get("/elsewhere")(lambda port: HTMLResponse(elsewhere % int(port)))
    options = {"head": bridge.head(), "run_history": False, "ssr_mode": False}
    with serve(gr.mount_gradio_app(app, build(), path="/", **options)) as address:
        yield address


@pytest.fixture
def chat(page: Any, address: str) -> Any:
    """A tab with the chat, its widgets drawn."""
    page.goto(address)
    expect(page.locator(".demo-widget")).to_have_count(6)
    return page


@pytest.fixture
def alone(page: Any, address: str) -> Callable[[str], Any]:
    """A function that opens a demo's own page, such as `alone("write?start=They")`."""

    def open_alone(path: str) -> Any:
        page.goto(f"{address}/demo/{path}")
        return page.locator(".demo-widget")

    return open_alone


def expect(locator: Any) -> Any:
    """Playwright's retrying assertions, imported only where there is a playwright."""
    from playwright.sync_api import expect as expect_that

    return expect_that(locator)


def widget(page: Any, title: str, nth: int = 0) -> Any:
    """The nth widget with that title."""
    return page.get_by_role("region", name=title, exact=True).nth(nth)


def press(one: Any, name: str = "Run") -> Any:
    """Press one of the widget's buttons; gives the widget."""
    one.get_by_role("button", name=name, exact=True).click()
    return one


def ended(one: Any, said: str = "Done in") -> Any:
    """Wait until the widget's run has ended; gives the widget."""
    expect(one.locator(".dw-state")).to_contain_text(said)
    return one


def wait_for(true: Callable[[], bool], seconds: float = 8) -> None:
    """Wait until `true()` is."""
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.05)
    assert true()


# ---------------------------------------------------------------------- in the chat


def test_every_view_is_drawn_and_hostile_text_stays_text(chat: Any) -> None:
    one = ended(press(widget(chat, "All")))
    expect(one.locator(".dw-note")).to_have_text(f"You said {INJECTION}")
    expect(one.locator("td").first).to_have_text(INJECTION)
    expect(one.locator(".dw-strip img")).to_have_count(6)
    expect(one.locator(".dw-bars li").first).to_have_text("negative94%")
    expect(one.locator(".dw-view-picture img")).to_have_count(2)
    expect(one.get_by_role("status")).to_contain_text("negative 94%, positive 6%")
    assert chat.locator("img[src=x]").count() == 0


def test_several_run_at_once_lose_nothing_and_stop_alone(chat: Any) -> None:
    closed.clear()
    counting = press(widget(chat, "Count"))
    expect(counting.locator(".dw-note")).to_contain_text("count")
    bursts = [press(widget(chat, "Burst", i)) for i in (0, 1)]
    for i, one in enumerate(bursts):
        notes = ended(one).locator(".dw-note")
        expect(notes).to_have_text(["view 2998", "view 2999", "view 3000", f"burst {i} over"])
    ended(press(counting, "Stop"), "Stopped.")
    wait_for(lambda: closed == ["count"])
    expect(counting.get_by_role("button", name="Run")).to_be_focused()


def test_a_stop_at_once_and_a_closed_tab_reach_the_server(chat: Any) -> None:
    closed.clear()
    one = widget(chat, "Count")
    one.evaluate("w => ['.dw-go', '.dw-quiet'].forEach((name) => w.querySelector(name).click())")
    ended(one, "Stopped.")
    press(one)
    expect(one.locator(".dw-note")).to_contain_text("count")
    closed.clear()
    chat.close()
    wait_for(lambda: closed == ["count"])


def test_an_error_is_a_sentence_in_its_own_widget(chat: Any) -> None:
    one = press(widget(chat, "Fail"))
    expect(one.get_by_role("alert")).to_have_text("Text is 'no'; say something else.")
    one.get_by_label("Text").fill("yes")
    press(one)
    expect(one.get_by_role("alert")).to_contain_text("This demo stumbled")
    expect(one.locator(".dw-note")).to_have_text("so far so good")
    assert "secret" not in chat.content()
    assert chat.get_by_role("alert").count() == 1


def test_later_messages_change_nothing_and_other_rows_are_drawn_anew(chat: Any) -> None:
    one = widget(chat, "Write")
    one.get_by_label("Start").fill("She")
    ended(press(one))
    chat.get_by_role("button", name="more").click()
    expect(chat.get_by_text("message 1")).to_be_visible()
    expect(one.locator(".dw-tokens")).to_have_text("She was there.")
    expect(one.get_by_label("Start")).to_have_value("She")
    chat.get_by_role("button", name="swap").click()
    expect(chat.locator(".demo-widget")).to_have_count(1)
    expect(ended(widget(chat, "Count")).locator(".dw-note")).to_have_text("count 3")


def test_nothing_is_wider_than_a_telephone(open_page: Any, address: str) -> None:
    page = open_page(viewport={"width": 360, "height": 740})
    page.goto(address)
    for title in ("All", "Write"):
        ended(press(widget(page, title)))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("""() => [...document.querySelectorAll('.demo-widget')]
        .every((one) => one.scrollWidth <= one.clientWidth + 1)""")


# ---------------------------------------------------------------------------- alone


def test_settings_fold_and_examples_run(alone: Any) -> None:
    one = alone("all")
    expect(one.get_by_label("Steps")).not_to_be_visible()
    expect(one.locator(".dw-brief")).to_have_text("Steps: 6 · Mood: calm · Place: c")
    press(one, "second example · Mood wild")
    expect(one.locator(".dw-note")).to_have_text("You said second example")
    expect(one.locator(".dw-brief")).to_contain_text("Mood: wild")
    one.get_by_text("Settings").click()
    one.get_by_label("Say it loud").check()
    one.get_by_label("Steps").fill("3")
    press(one)
    expect(one.locator(".dw-note")).to_have_text("You said second example!")
    expect(one.locator(".dw-strip img")).to_have_count(3)


def test_words_open_by_keyboard_and_grow(alone: Any, page: Any) -> None:
    one = alone("write")
    one.get_by_label("Start").press("Enter")
    word = ended(one).get_by_role("button", name="there")
    word.press("Enter")
    box = page.get_by_role("dialog")
    expect(box).to_contain_text("<b>bold</b>")
    page.keyboard.press("Escape")
    expect(word).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(one.locator(".dw-open").last).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press(" ")
    box.get_by_role("button", name="here").press("Enter")
    expect(one.get_by_label("Start")).to_have_value("It was here")
    expect(one.locator(".dw-tokens")).to_have_text("It was here was there.")


def test_results_never_make_the_page_jump_while_running(alone: Any, page: Any) -> None:
    one = ended(press(alone("all")))
    height = round(one.bounding_box()["height"])
    page.evaluate("""() => {
        const one = document.querySelector('.demo-widget');
        window.heights = [];
        new ResizeObserver(() => heights.push(one.offsetHeight)).observe(one);
    }""")
    ended(press(one, "first example"))
    assert all(abs(one - height) <= 1 for one in page.evaluate("heights"))


def test_inputs_come_from_the_address_if_they_are_right(alone: Any) -> None:
    one = alone("all?text=hi+there&steps=99&loud=true&utm_source=x")
    expect(one.get_by_text("The link was not quite right: Steps is 99")).to_be_visible()
    expect(one.get_by_label("Text")).to_have_value("hi there")
    press(one)
    expect(one.locator(".dw-note")).to_have_text("You said hi there!")


def test_alone_it_stops_and_tells_errors(alone: Any) -> None:
    closed.clear()
    one = press(alone("count"))
    expect(one.locator(".dw-note")).to_contain_text("count")
    ended(press(one, "Stop"), "Stopped.")
    wait_for(lambda: closed == ["count"])
    one = press(alone("fail"))
    expect(one.get_by_role("alert")).to_have_text("Text is 'no'; say something else.")


def test_it_works_in_an_iframe_of_another_site(page: Any, address: str) -> None:
    port = address.rsplit(":", 1)[1]
    page.goto(f"http://localhost:{port}/elsewhere?port={port}")
    inside = page.frame_locator("iframe")
    press(inside)
    expect(inside.locator(".dw-tokens")).to_have_text("They was there.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_follows_the_readers_colours(open_page: Any, address: str, scheme: str) -> None:
    page = open_page(color_scheme=scheme)
    page.goto(f"{address}/demo/all")
    back = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert back == {"light": "rgb(250, 249, 246)", "dark": "rgb(20, 22, 26)"}[scheme]
