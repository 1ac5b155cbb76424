"""The public endpoints, the waiting for the tutor, and what the page keeps, without a browser."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before gradio is imported

import gradio as gr
import httpx
import pytest
import uvicorn
from gradio_client import Client
from gradio_client.exceptions import AppError

from app import create_app
from assets import AssetError
from demos.base import Bars, Demo, DemoError, Slider, Text, View
from explainers.reply import Citation, DemoCall, Draft, Reply, Span
from interface import api, chat

NASTY = {
    "empty": "",
    "blank": " \n\t ",
    "long": "why? " * 4000,
    "emoji": "🤖🎨👩‍💻",
    "right to left": "ما هو التعلم الآلي؟",
    "override": "what\u202e is this",
    "html": "<img src=x onerror=alert(1)><script>alert(1)</script>",
    "template": "${alert(1)} {{alert(1)}}",
    "control": "a\x00b\x07\x1b[31m",
}


class EchoTutor:
    """A tutor that says what it was asked, so that a test sees what reached it."""

    language_model = None

    def __init__(self, pause: float = 0) -> None:
        self.pause = pause
        self.closed = False

    def reply(
        self, question: str, history: Sequence[Mapping[str, str]] = (), *, from_memory: bool = False
    ) -> Iterator[Draft | Reply]:
        if question == "crash":
            raise RuntimeError("a secret of the server")
        answer = f"{len(history)} before. You asked: {question[:60]}"
        try:
            for end in range(4, len(answer), 4):
                yield Draft(answer[:end], "create")
                time.sleep(self.pause)
        finally:
            self.closed = True
        source = Citation("gan", "GANs", "In short", "Two networks compete.")
        yield Reply(answer, "create", citations=(source,), demo=DemoCall("count", {"to": 3}))


def count(word: str, to: int) -> Iterator[View]:
    """Count, or stumble."""
    if word == "stumble":
        raise RuntimeError("a secret of the server")
    for i in range(to + 1):
        yield Bars({word: i / to})


DEMOS = {
    "count": Demo(
        slug="count", title="Count", side="predict", topic="gan", summary="Counts.", run=count,
        inputs=(
            Text(name="word", label="Word", default="sheep"),
            Slider(name="to", label="To", minimum=1, maximum=9, default=5),
        ),
    )
}  # fmt: skip


@contextmanager
def serving(load: Any) -> Iterator[str]:
    """The site on a free port, with the tutor that `load` gives."""
    site = create_app(load, DEMOS, {})
    options = {"log_level": "error", "timeout_graceful_shutdown": 1}
    server = uvicorn.Server(uvicorn.Config(site, host="127.0.0.1", port=0, **options))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(EchoTutor) as where:
        yield where


@pytest.fixture(scope="module")
def client(address: str) -> Client:
    return Client(address, verbose=False)


def ask(client: Client, question: str, *history: Any) -> dict[str, Any]:
    return json.loads(client.predict(question, *history, api_name="/ask"))


# --------------------------------------------------------------------------- endpoints


def test_only_three_endpoints_are_public(client: Client) -> None:
    named = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(named) == {"/ask", "/demos", "/run_demo"}


def test_ask_gives_a_reply(client: Client) -> None:
    reply = ask(client, "How does a GAN work?")
    assert reply["answer"] == "0 before. You asked: How does a GAN work?"
    assert reply["side"] == "create" and not reply["abstained"]
    assert reply["citations"][0]["quote"] == "Two networks compete."
    assert reply["demo"] == {"slug": "count", "inputs": {"to": 3}}


def test_ask_passes_the_history_on(client: Client) -> None:
    past = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]
    assert ask(client, "And then?", json.dumps(past))["answer"].startswith("2 before.")


@pytest.mark.parametrize("name", NASTY)
def test_ask_survives_any_text(client: Client, name: str) -> None:
    assert isinstance(ask(client, NASTY[name])["answer"], str)
    assert ask(client, "Still there?")["answer"].endswith("Still there?")


@pytest.mark.parametrize(
    "history",
    ["hello", "{}", "[1]", '[{"role": "system", "content": ""}]', '[{"role": "user"}]', "[NaN]",
     '[{"role": "user", "content": 3}]', "[" * 5000],
)  # fmt: skip
def test_a_wrong_history_gets_one_sentence(client: Client, history: str) -> None:
    reply = ask(client, "Hi", history)
    assert reply["abstained"] and reply["answer"].startswith("The history")
    assert "Traceback" not in reply["answer"] and len(reply["answer"]) < 200


def test_a_crash_shows_nothing_of_the_server(client: Client) -> None:
    assert ask(client, "crash")["answer"] == api.STUMBLED
    assert ask(client, "Still there?")["answer"].endswith("Still there?")


def test_demos_are_described(client: Client) -> None:
    [demo] = json.loads(client.predict(api_name="/demos"))
    assert demo["slug"] == "count" and demo["inputs"][1]["maximum"] == 9


def test_run_demo_gives_the_final_views(client: Client) -> None:
    [bars] = json.loads(client.predict("count", '{"to": 4}', api_name="/run_demo"))
    assert bars["values"] == [["sheep", 1.0]]


@pytest.mark.parametrize(
    ("slug", "inputs", "says"),
    [
        ("nope", "{}", "no demo 'nope'"),
        ("count", "to=3", "has to be JSON"),
        ("count", '{"to": NaN}', "without NaN"),
        ("count", '{"to": "many"}', "from 1 to 9"),
        ("count", '{"to": 10}', "from 1 to 9"),
        ("count", '{"too": 3}', "it has: word, to"),
        ("count", "[3]", "a name for each value"),
        ("count", '{"word": ""}', "Word is empty"),
        ("count", '{"word": "stumble"}', "This demo stumbled"),
    ],
)
def test_a_wrong_demo_call_gets_one_sentence(
    client: Client, slug: str, inputs: str, says: str
) -> None:
    with pytest.raises(AppError) as caught:
        client.predict(slug, inputs, api_name="/run_demo")
    assert says in str(caught.value) and "secret" not in str(caught.value)
    assert client.predict("count", "{}", api_name="/run_demo")


@pytest.mark.parametrize("data", [[], [None], [3, None], [{"a": 1}, 2], ["x"] * 9])
def test_wrong_arguments_never_hurt_the_server(address: str, data: list[Any]) -> None:
    for name in ("ask", "run_demo"):
        call = httpx.post(f"{address}/gradio_api/call/{name}", json={"data": data})
        if call.status_code == 200:
            where = f"{address}/gradio_api/call/{name}/{call.json()['event_id']}"
            assert "Traceback" not in httpx.get(where, timeout=20).text
    assert httpx.get(f"{address}/healthz").json()["status"] == "ready"


# ------------------------------------------------------------------------ waiting for it


def test_a_question_asked_too_early_waits(client: Client) -> None:
    ready = threading.Event()

    def load() -> EchoTutor:
        ready.wait(20)
        return EchoTutor()

    with serving(load) as address:
        assert httpx.get(f"{address}/healthz").json()["status"] == "loading"
        job = Client(address, verbose=False).submit("Early?", api_name="/ask")
        time.sleep(0.5)
        assert not job.done()
        ready.set()
        assert json.loads(job.result(20))["answer"].endswith("Early?")
        assert httpx.get(f"{address}/healthz").json()["status"] == "ready"


def test_a_tutor_that_cannot_load_says_why_and_can_be_woken_again() -> None:
    tries = []

    def load() -> EchoTutor:
        tries.append(1)
        if len(tries) < 2:
            raise AssetError("There is no network. Connect once.")
        return EchoTutor()

    host = api.Host(load)
    host.wake()
    assert [one.answer for one in host.reply("Hi") if isinstance(one, Reply)] == [
        "There is no network. Connect once."
    ]
    assert host.status == {"status": "failed", "message": "There is no network. Connect once."}
    with pytest.raises(DemoError, match="no network"):
        host.tutor()
    host.wake()
    assert host.tutor() and host.status["status"] == "ready"


def test_a_bug_in_loading_is_not_shown() -> None:
    host = api.Host(lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    host.wake()
    assert [one.answer for one in host.reply("Hi") if isinstance(one, Reply)] == [api.ASLEEP]


# ---------------------------------------------------------------------- the conversation


def conversation(tutor: EchoTutor | None = None) -> chat.Conversation:
    host = api.Host(lambda: tutor or EchoTutor())
    host.wake()
    host.tutor()
    return chat.Conversation(host, DEMOS, chat.conversation())


def test_an_answer_streams_and_ends_with_its_demo() -> None:
    do, talk, turns = conversation(), chat.Talk(), chat.ask([], "How?")
    *drafts, (_, turns) = do.answer(turns, talk)
    assert drafts[0][0]["state"] == "writing" and drafts[0][0]["side"] == "create"
    shown, kept = do.finish(turns, talk)
    answer, widget = shown[-1].content
    assert answer.value["answer"] == turns[0]["reply"]["answer"]
    assert widget.value["demo"]["slug"] == "count" and widget.value["autorun"]
    assert chat.restore(kept)[0]["question"] == "How?" and not talk.writing


def test_stop_keeps_what_there_is_and_closes_the_model() -> None:
    tutor, talk = EchoTutor(pause=0.06), chat.Talk()
    do, turns = conversation(tutor), chat.ask([], "How?")
    stream = do.answer(turns, talk)
    next(stream)
    do.stop(talk)
    _, turns = list(stream)[-1]
    assert turns[0]["reply"]["stopped"] and tutor.closed


def test_a_closed_tab_closes_the_model() -> None:
    tutor, talk = EchoTutor(), chat.Talk()
    stream = conversation(tutor).answer(chat.ask([], "How?"), talk)
    next(stream)
    stream.close()
    assert tutor.closed and not talk.writing


def test_a_conversation_cleared_meanwhile_stays_clear() -> None:
    do, talk = conversation(EchoTutor(pause=0.06)), chat.Talk()
    stream = do.answer(chat.ask([], "How?"), talk)
    next(stream)
    do.clear(talk)
    _, turns = list(stream)[-1]
    assert (turns, *do.finish(turns, talk)) == ([], [], {"turns": []})


def test_an_open_tab_survives_a_new_start_of_the_server() -> None:
    """The server has no turns of it, but its browser has: the conversation goes on."""
    asked = chat.close(chat.ask([], "How?"), chat.plain(Reply("So.")))
    event = gr.EventData(None, {})
    _, turns, _ = conversation().begin("And why?", [], chat.Talk(), chat.keep(asked), event)
    assert [one["question"] for one in turns] == ["How?", "And why?"]


def test_a_full_queue_is_said_kindly() -> None:
    shown, turns = conversation().give_up(chat.ask([], "How?"))
    assert turns[0]["reply"]["answer"] == chat.BUSY == shown[-1].content[0].value["answer"]


def test_steady_holds_drafts_back_but_never_the_reply() -> None:
    drafts = [Draft(str(i)) for i in range(500)]
    passed = list(chat.steady(iter([*drafts, Reply("done")])))
    assert len(passed) < 10 and passed[-1] == Reply("done")


@pytest.mark.parametrize(
    "stored",
    [None, 3, "x", [], {"turns": 3}, {"turns": [None, 3, {"question": "?"}]},
     {"turns": [{"question": "?", "reply": {"answer": 3}}]},
     {"turns": [{"question": "?", "reply": {"answer": "", "side": "<b>"}}]},
     {"turns": [{"question": 3, "reply": {"answer": ""}}]},
     {"turns": [{"question": "?", "reply": {"answer": "", "follow_ups": [{}]}}]},
     {"turns": [{"question": "?", "reply": {"answer": "", "follow_ups": 7}}]},
     {"turns": [{"question": "?", "reply": {"answer": "", "demo": "x"}}]}],
)  # fmt: skip
def test_corrupt_stored_data_is_ignored(stored: Any) -> None:
    assert chat.restore(stored) == []


def test_what_the_browser_keeps_is_bounded() -> None:
    turns: list[chat.Turn] = []
    for i in range(60):
        turns = chat.close(chat.ask(turns, f"{i}"), chat.plain(Reply("x" * 50_000)))
    kept = chat.keep(turns)
    assert len(json.dumps(kept)) <= chat.KEPT_BYTES
    assert chat.restore(kept)[-1]["question"] == "59"


def test_a_restored_demo_does_not_start_by_itself() -> None:
    reply = chat.plain(Reply("Yes.", demo=DemoCall("count", {"to": 3})))
    turns = chat.restore({"turns": [{"question": "?", "reply": reply}]})
    assert chat.messages(turns, DEMOS)[-1]["content"][1].value["autorun"] is False


def test_a_demo_that_is_gone_is_left_out() -> None:
    reply = chat.plain(Reply("Yes.", demo=DemoCall("gone")))
    assert len(chat.messages(chat.close(chat.ask([], "?"), reply), DEMOS)[-1]["content"]) == 1


def test_the_markdown_file_shows_text_as_it_is() -> None:
    spans = (Span("A *b* <i>c</i>.", True),)
    source = Citation("t", "Title", "In short", "Quote.")
    reply = chat.plain(Reply("A *b* <i>c</i>.", citations=(source,), spans=spans))
    text = chat.markdown(chat.close(chat.ask([], "# Why?\n<b>"), reply))
    assert "\\<i\\>c" in text and "## \\# Why? \\<b\\>" in text and "> Quote." in text


def test_what_a_visitor_typed_is_no_html() -> None:
    shown = chat.inert("<img src=x> & <b>")
    assert "<img" not in shown and shown.replace(chat.JOINER, "") == "<img src=x> & <b>"
