"""Carries a widget's calls to the demos and their views back, through one hidden component.

A chat message cannot hold working Gradio components, so a demo in a message is a `gr.HTML` whose
value is configuration only; `static/widgets.js` draws it. All widgets of a page share one hidden
`gr.HTML`, the bridge: its events `run` and `halt` start and stop runs, its value brings replies.

Of values that reach the page in one go, it sees only the last (measured: a run that began beside
another lost its first five replies). Hence every reply holds all views of its run (Gradio sends
only what changed), and the last reply, which nothing follows, is sent twice.

    with gr.Blocks() as page:
        bridge(demos, resources)
        chat = gr.Chatbot([{"role": "assistant", "content": [widget("sentiment", {}, "w1", ...)]}])
    page.launch(head=head())
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from demos import get
from demos.base import Demo, DemoError
from interface.runs import PAUSE, Gate, Reply, Resources, Run, refusal, replies, result

STATIC = Path(__file__).parent / "static"
WIDGET_JS = """
const mount = () => window.DemoWidgets.mount(element.querySelector(".demo-host"), props.value);
mount();
watch("value", mount);
"""
BRIDGE_JS = """
const widgets = window.DemoWidgets;
widgets.connect({ run: (call) => trigger("run", call), halt: (rid) => trigger("halt", { rid }) });
watch("value", () => (props.value || []).forEach(widgets.receive));
"""


def static(name: str) -> str:
    """The text of a file in `static/`."""
    return (STATIC / name).read_text(encoding="utf-8")


def head() -> str:
    """Styles and script for the page's head; nothing in them is fetched from anywhere."""
    styles = static("tokens.css") + static("widgets.css")
    return f"<style>\n{styles}</style>\n<script>\n{static('widgets.js')}</script>\n"


def widget(
    slug: str,
    inputs: Mapping[str, Any],
    wid: str,
    describe: Mapping[str, Any],
    autorun: bool = False,
) -> gr.HTML:
    """A demo as one part of a chat message.

    wid: unique for each answer; what was typed and shown is kept under it.
    describe: the demo's description, `Demo.describe()`.
    autorun: run once by itself, for a fresh answer whose question named the inputs.

    The template never mentions the value, so Gradio never turns text from a visitor into markup.
    """
    value = {
        "demo": {**describe, "slug": slug},
        "inputs": dict(inputs),
        "wid": wid,
        "autorun": autorun,
    }
    return gr.HTML(
        value,
        html_template='<div class="demo-host"></div>',
        js_on_load=WIDGET_JS,
        apply_default_css=False,
        render=False,
    )


def bridge(
    demos: Mapping[str, Demo], resources: Resources, *, limit: int = 2, gate: Gate | None = None
) -> gr.HTML:
    """The hidden component and its events; create it once, inside `gr.Blocks`.

    limit: demos that run at once. gate: give one to share that limit with `demo_page.mount`.
    Gradio's own queue does not bound runs here (it would make everyone wait behind one visitor's
    runs); the gate does, by visitor.
    """
    gate, runs = gate or Gate(limit), {}
    part = gr.HTML(
        [], html_template="", js_on_load=BRIDGE_JS, visible="hidden", elem_id="demo-bridge"
    )

    async def run(event: gr.EventData, request: gr.Request) -> AsyncIterator[list[Reply]]:
        async for reply in _run(demos, resources, gate, runs, request.session_hash, event._data):
            yield [reply]
        await asyncio.sleep(PAUSE)
        yield [{**reply, "k": reply["k"] + 1}]

    def halt(event: gr.EventData, request: gr.Request) -> None:
        if one := runs.get((request.session_hash, _rid(event._data))):
            one.stop()

    private = {"api_visibility": "private", "show_progress": "hidden", "trigger_mode": "multiple"}
    part.run(run, None, part, concurrency_limit=None, concurrency_id="widgets", **private)
    part.halt(halt, None, None, queue=False, **private)
    return part


def run_demo(
    demos: Mapping[str, Demo],
    resources: Resources,
    slug: str,
    inputs: Mapping[str, Any],
    *,
    gate: Gate | None = None,
    visitor: str = "",
) -> list[dict[str, Any]]:
    """A demo's final views as plain JSON. Raises DemoError, in plain words, whatever goes wrong."""
    return result(Run(get(demos, slug), inputs, resources, gate or Gate(), visitor))


async def _run(
    demos: Mapping[str, Demo],
    resources: Resources,
    gate: Gate,
    runs: dict[tuple[str, str], Run],
    session: str,
    call: Any,
) -> AsyncIterator[Reply]:
    """The replies to one call from a page; nothing in `call` is trusted."""
    call = call if isinstance(call, dict) else {}
    rid = _rid(call)
    try:
        run = Run(get(demos, call.get("slug")), call.get("inputs"), resources, gate, session)
    except DemoError as unknown:
        yield refusal(rid, unknown)
        return
    runs[session, rid] = run
    try:
        async for reply in replies(run, rid, everything=True):
            yield reply
    finally:
        run.stop()
        runs.pop((session, rid), None)


def _rid(call: Any) -> str:
    """The run's name as the page gave it, cut to a bearable length."""
    return str(call.get("rid"))[:80] if isinstance(call, dict) else ""
