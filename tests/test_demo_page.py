"""Single demos: the page, its address, its event stream, and what it allows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from demos.base import Choice, Demo, Note, Slider, Text, Toggle, View
from interface import demo_page


def speak(text: str, size: float, mood: str, loud: bool) -> Iterator[View]:
    """Says what it was given."""
    yield Note(f"{text} {size} {mood} {loud}")


INPUTS = (
    Text(name="text", label="Text", default="hi"),
    Slider(name="size", label="Size", minimum=0, maximum=1, step=0.1),
    Choice(name="mood", label="Mood", options=("calm", "wild"), default="calm"),
    Toggle(name="loud", label="Loud"),
)
DEMO = Demo(
    slug="speak",
    title="Speak <now>",
    side="create",
    topic="speak",
    summary="Says </script> it.",
    inputs=INPUTS,
    run=speak,
)


@pytest.fixture
def client() -> Iterator[TestClient]:
    """A server whose own catch-all route stands in for Gradio's `/{page}`."""
    app = FastAPI()
    app.get("/{page}")(lambda page: "gradio")
    demo_page.mount(app, {"speak": DEMO}, {})
    with TestClient(app) as client:
        yield client


def test_the_page_comes_before_the_other_routes_and_escapes_everything(client: TestClient) -> None:
    text = client.get("/demo/speak", params={"text": "</script><b>"}).text
    assert "<title>Speak &lt;now&gt;" in text
    assert text.count("</script>") == 2  # the configuration's own end and the script's own end
    config = json.loads(re.search(r'id="config">(.*?)</script>', text)[1])
    assert config["inputs"] == {"text": "</script><b>"}
    assert "Every demo" in client.get("/demo").text


def test_any_page_may_frame_it_and_nothing_is_loaded_from_elsewhere(client: TestClient) -> None:
    answer = client.get("/demo/speak")
    policy = answer.headers["content-security-policy"]
    nonce = re.search(r"script-src 'nonce-(.+?)'", policy)[1]
    assert "default-src 'none'" in policy and "frame-ancestors *" in policy
    assert "x-frame-options" not in answer.headers
    assert answer.text.count(f'nonce="{nonce}"') == 2
    assert nonce not in client.get("/demo/speak").text
    outside = set(re.findall(r"https?://[^\s\"'<]+", answer.text))
    assert not outside


def test_an_unknown_demo_is_a_kind_404(client: TestClient) -> None:
    answer = client.get("/demo/<b>nope")
    assert answer.status_code == 404
    assert "<b>nope" not in answer.text and "&lt;b&gt;nope" in answer.text
    assert 'href="speak"' in answer.text
    assert client.post("/demo/nope/run", json={}).status_code == 404


@pytest.mark.parametrize(
    ("query", "inputs"),
    [
        ({}, {}),
        ({"text": "x", "size": "0.5"}, {"text": "x", "size": 0.5}),
        ({"loud": "on", "mood": "wild"}, {"loud": True, "mood": "wild"}),
        ({"loud": "FALSE", "utm_source": "mail"}, {"loud": False}),
    ],
)
def test_right_inputs_are_prefilled(query: dict[str, str], inputs: dict[str, Any]) -> None:
    assert demo_page.prefilled(DEMO, query) == (inputs, [])


@pytest.mark.parametrize(
    "query",
    [{"size": "9"}, {"size": "x"}, {"size": "nan"}, {"loud": "maybe"}, {"mood": "x"}, {"text": ""}],
)
def test_wrong_inputs_are_left_out_with_a_sentence(query: dict[str, str]) -> None:
    inputs, (sentence,) = demo_page.prefilled(DEMO, query)
    assert inputs == {}
    assert sentence.startswith("The link was not quite right: ")


def test_a_run_is_an_event_stream(client: TestClient) -> None:
    call = {"rid": "r", "inputs": {"text": "ä\n\nb"}, "visitor": "v"}
    answer = client.post("/demo/speak/run", json=call)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(one.removeprefix("data: ")) for one in answer.text.split("\n\n") if one]
    notes = [view["text"] for event in events for view in event["views"]]
    assert notes == ["ä\n\nb 0 calm False".replace(" 0 ", " 0.0 ")]
    assert events[-1]["state"] == "done"


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b'{"inputs": 3}', b"x" * 100_000])
def test_a_senseless_run_is_one_sentence(client: TestClient, body: bytes) -> None:
    last = client.post("/demo/speak/run", content=body).text.strip().split("\n\n")[-1]
    assert json.loads(last.removeprefix("data: "))["error"].startswith("The inputs are")
