"""The bridge: what goes into a message and the head, and what a call from a page leads to."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import gradio as gr
import pytest

from demos.base import Bars, Demo, DemoError, Text, View
from interface import bridge
from interface.runs import Gate


def judge(text: str, language_model: str) -> Iterator[View]:
    """Two versions of the same view: only the last one is final."""
    yield Bars({"bad": 0.5})
    yield Bars({text: 0.9, language_model: 0.1})


DEMO = Demo(
    slug="judge",
    title="Judge",
    side="predict",
    topic="judge",
    summary="Judges.",
    inputs=(Text(name="text", label="Text"),),
    run=judge,
    needs=("language_model",),
)
DEMOS, RESOURCES = {"judge": DEMO}, {"language_model": lambda: "model"}


def told(call: Any, session: str = "s") -> list[dict[str, Any]]:
    """The replies to a call from a page."""

    async def collect() -> list[dict[str, Any]]:
        stream = bridge._run(DEMOS, RESOURCES, Gate(), {}, session, call)
        return [reply async for reply in stream]

    return asyncio.run(collect())


def test_a_widget_is_configuration_that_no_template_reads() -> None:
    part = bridge.widget("judge", {"text": "${x}"}, "w1", DEMO.describe(), autorun=True)
    assert part.value["demo"]["title"] == "Judge"
    assert (part.value["inputs"], part.value["wid"]) == ({"text": "${x}"}, "w1")
    assert part.value["autorun"] is True
    assert not re.search(r"[$@{}]", part.html_template)


def test_a_widget_in_a_message_is_not_drawn_where_it_was_made() -> None:
    with gr.Blocks() as blocks:
        part = bridge.widget("judge", {}, "w1", DEMO.describe())
        chat = gr.Chatbot([{"role": "assistant", "content": ["Try it.", part]}])
    assert part not in blocks.children
    assert chat.value[0]["content"][1]["value"]["wid"] == "w1"


def test_the_head_asks_nothing_of_any_other_host() -> None:
    head = bridge.head()
    assert not re.search(r"https?://|@import|url\(|src=", head)
    assert head.count("</script>") == head.count("<script>") == 1
    assert "innerHTML" not in head and "insertAdjacentHTML" not in head


def test_a_call_is_answered_with_all_views_until_done() -> None:
    last = told({"rid": "r", "slug": "judge", "inputs": {"text": "good"}})[-1]
    assert (last["rid"], last["state"], last["error"]) == ("r", "done", "")
    assert last["views"][0]["values"] == [["good", 0.9], ["model", 0.1]]


@pytest.mark.parametrize(
    "call",
    [None, "text", [], {}, {"slug": 7}, {"slug": "no"}, {"rid": {"a": 1}, "slug": ["judge"]}],
)
def test_a_senseless_call_is_one_sentence(call: Any) -> None:
    (only,) = told(call)
    assert only["state"] == "done" and only["error"].startswith("There is no demo")


@pytest.mark.parametrize("inputs", [None, 3, [1], {"text": 3}, {"text": ""}, {"x": "y"}])
def test_senseless_inputs_are_one_sentence(inputs: Any) -> None:
    last = told({"rid": "r", "slug": "judge", "inputs": inputs})[-1]
    assert last["state"] == "done" and last["error"] and "stumbled" not in last["error"]


def test_run_demo_gives_the_final_views_or_says_what_is_wrong() -> None:
    (view,) = bridge.run_demo(DEMOS, RESOURCES, "judge", {"text": "good"})
    assert view["values"][0] == ["good", 0.9]
    with pytest.raises(DemoError, match="Text is empty"):
        bridge.run_demo(DEMOS, RESOURCES, "judge", {"text": " "})
    with pytest.raises(DemoError, match="There is no demo"):
        bridge.run_demo(DEMOS, RESOURCES, "nope", {})


def test_the_bridge_keeps_its_events_private() -> None:
    with gr.Blocks() as blocks:
        bridge.bridge(DEMOS, RESOURCES)
    assert {fn.api_visibility for fn in blocks.fns.values()} == {"private"}
