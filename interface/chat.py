"""The page: conversation, topics, events.

The conversation is a list of turns, kept in a gr.State; the Chatbot only shows it. An answer is ONE
gr.HTML in its message: its value is plain JSON (a draft while the tutor writes, then the reply), and
static/chat.js draws it, every text through textContent. The template never names the value: a
template that did would run what a visitor typed. The live demo is a second part, from `bridge`.

A question goes through two events. `begin` puts it on the page at once; `answer` waits in the queue
for the tutor and streams. Whether the tutor is writing can be seen in the page (`.answer.writing`),
so Send and Stop change places by CSS alone and never disagree with what is shown.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

import gradio as gr
from gradio.components.chatbot import ComponentMessage, Message

from demos.base import Demo
from explainers.reply import Draft, Reply
from interface import api, bridge

STARTERS = {
    "What is the difference?": "What is the difference between machine learning and generative AI?",
    "The same text, both sides": "What would each side do with the same text?",
    "How does a GAN work?": "How does a GAN work?",
    "Draw me a picture": "Draw a red heart",
}
UPDATES_PER_SECOND = 20
QUESTION_LIMIT = 4_000  # characters kept; the tutor says how many it reads
KEPT_TURNS = 30  # in the browser, for the next visit
KEPT_BYTES = 400_000
BUSY = "Many people are asking right now. Please ask again in a moment."
STOPPED = "Stopped before the first word."
TITLE = """<header><h1><span class="p">Predict</span> or <span class="c">Create</span>?</h1>
<p>Ask about machine learning and generative AI. Try everything.</p></header>"""
STATIC = Path(__file__).parent / "static"

Shown = list[dict[str, Any] | Message]
Skip = dict[str, Any]


class Turn(TypedDict):
    """A question and, when it has been answered, the reply as JSON.

    wid: names the reply's widget on the page; a new answer gets a new one.
    fresh: answered in this visit, so that its demo may start by itself.
    """

    question: str
    reply: dict[str, Any] | None
    wid: str
    fresh: bool


class Talk:
    """What two events of one visitor tell each other while an answer is being written."""

    def __init__(self) -> None:
        self.writing = False
        self.stop = False  # end the answer; what there is of it stays
        self.drop = False  # the conversation was cleared meanwhile: show nothing of it


# ------------------------------------------------------------------------ conversation


def ask(turns: Sequence[Turn], question: str) -> list[Turn]:
    """The turns with one more, not yet answered."""
    turn = Turn(question=question[:QUESTION_LIMIT], reply=None, wid=uuid.uuid4().hex[:8], fresh=True)
    return [*turns, turn]


def close(turns: Sequence[Turn], reply: dict[str, Any]) -> list[Turn]:
    """The turns with the last one answered."""
    return [*turns[:-1], Turn(**{**turns[-1], "reply": reply})]


def history(turns: Sequence[Turn]) -> list[dict[str, str]]:
    """The answered turns as the tutor reads them."""
    said: list[dict[str, str]] = []
    for turn in turns:
        if turn["reply"]:
            said.append({"role": "user", "content": turn["question"]})
            said.append({"role": "assistant", "content": turn["reply"]["answer"]})
    return said[-api.HISTORY_LIMIT :]


def keep(turns: Sequence[Turn]) -> dict[str, Any]:
    """What the browser stores: the latest answered turns, as many as fit."""
    kept = [{"question": one["question"], "reply": one["reply"]} for one in turns if one["reply"]]
    kept = kept[-KEPT_TURNS:]
    while kept and len(json.dumps(kept)) > KEPT_BYTES:
        kept = kept[1:]
    return {"turns": kept}


def restore(stored: Any) -> list[Turn]:
    """The turns that a browser stored. What cannot be read is left out, never an error."""
    given = stored.get("turns") if isinstance(stored, dict) else None
    turns: list[Turn] = []
    for one in given[-KEPT_TURNS:] if isinstance(given, list) else []:
        if _is_turn(one):
            turns = close(ask(turns, api.clean(one["question"])), one["reply"])
            turns[-1]["fresh"] = False
    return turns


def _is_turn(one: Any) -> bool:
    """Whether a stored turn has the shape that the page draws; chat.js forgives the rest."""
    reply = one.get("reply") if isinstance(one, dict) else None
    return (
        isinstance(reply, dict)
        and isinstance(one.get("question"), str)
        and isinstance(reply.get("answer"), str)
        and reply.get("side") in ("predict", "create", "both", None)
        and isinstance(reply.get("demo") or {}, dict)
        and all(isinstance(reply.get(name) or [], list) for name in ("citations", "spans"))
        and all(isinstance(text, str) for text in reply.get("follow_ups") or [])
        and len(json.dumps(reply)) <= KEPT_BYTES
    )


def markdown(turns: Sequence[Turn]) -> str:
    """The conversation as a Markdown file."""
    parts = ["# Predict or Create?"]
    for turn in turns:
        reply = turn["reply"] or {"answer": ""}
        parts += [f"## {_plain(turn['question'])}", _plain(reply["answer"])]
        for one in reply.get("citations") or []:
            source = f"{one.get('title', '')}, {one.get('section', '')}"
            parts.append(f"> {_plain(str(one.get('quote', '')))}\n>\n> From: {_plain(source)}")
    return "\n\n".join(parts) + "\n"


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line per paragraph."""
    return re.sub(r"([\\`*_<>\[\]#|~])", r"\\\1", " ".join(text.split()))


# ----------------------------------------------------------------------------- drawing


def messages(turns: Sequence[Turn], demos: Mapping[str, Demo]) -> Shown:
    """The conversation as the Chatbot shows it. Same turns, same parts: widgets keep their state."""
    shown: Shown = []
    for turn in turns:
        shown.append({"role": "user", "content": turn["question"]})
        shown.append(answered(turn, demos) if turn["reply"] else writing(api.Waiting("")))
    return shown


def answered(turn: Turn, demos: Mapping[str, Demo]) -> dict[str, Any]:
    """A finished answer: the text with its sources, the demo, and what to ask next."""
    reply = turn["reply"] or {}
    call = reply.get("demo") or {}
    parts = [answer_part({**reply, "state": "done", "fresh": turn["fresh"]})]
    if demo := demos.get(str(call.get("slug"))):
        inputs = call.get("inputs") if isinstance(call.get("inputs"), dict) else {}
        start = bool(inputs) and turn["fresh"]
        widget = bridge.widget(demo.slug, inputs, turn["wid"], demo.describe(), autorun=start)
        parts.append(part(widget))
    options = [{"value": text} for text in (reply.get("follow_ups") or [])[:3]]
    return {"role": "assistant", "content": parts, "options": options}


def writing(event: api.Waiting | Draft) -> dict[str, Any]:
    """An answer that is not finished."""
    if isinstance(event, Draft):
        value = {"state": "writing", "answer": event.text, "side": event.side}
    else:
        value = {"state": "writing", "answer": "", "status": event.text}
    return {"role": "assistant", "content": [answer_part(value)]}


def answer_part(value: dict[str, Any]) -> ComponentMessage:
    """The part of a message that chat.js draws."""
    script = "TutorPage.answer(element, props, watch)"
    template = "<div class='answer-part'></div>"
    return part(gr.HTML(value, html_template=template, js_on_load=script, apply_default_css=False))


def part(component: gr.HTML) -> ComponentMessage:
    """A component as a message carries it: what it was made with, and no more.

    Gradio would make every component of the conversation anew at every update, 3 ms each.
    """
    props = dict(component.constructor_args)
    value = props.pop("value", None)
    return ComponentMessage(component="html", value=value, constructor_args={}, props=props)


def steady(events: Iterator[Any], per_second: float = UPDATES_PER_SECOND) -> Iterator[Any]:
    """The events, drafts no faster than `per_second`; whatever is no draft comes at once."""
    last = 0.0
    for event in events:
        if isinstance(event, Draft) and time.monotonic() - last < 1 / per_second:
            continue
        last = time.monotonic()
        yield event


# ------------------------------------------------------------------------------ events


class Conversation:
    """What happens when a visitor asks, stops, retries, edits, undoes, clears or comes back."""

    def __init__(self, host: api.Host, demos: Mapping[str, Demo], chatbot: gr.Chatbot) -> None:
        self.host, self.demos, self.chatbot = host, demos, chatbot

    def show(self, turns: Sequence[Turn]) -> list[Message]:
        """The turns, ready for the browser, so that streaming does not build them every time."""
        return self.chatbot.postprocess(messages(turns, self.demos)).root

    def begin(
        self, typed: str, turns: list[Turn], talk: Talk, event: gr.EventData
    ) -> tuple[Any, Any, Any]:
        """A question, typed or chosen, appears at once. -> chatbot, turns, textbox"""
        chosen = chosen_text(event)
        question = api.clean(typed if chosen is None else chosen)
        if talk.writing or not question:
            return gr.skip(), gr.skip(), gr.skip()
        turns = ask(turns, question)
        return self.show(turns), turns, "" if chosen is None else gr.skip()

    def retry(self, turns: list[Turn], talk: Talk) -> tuple[Any, Any]:
        """The last question again. -> chatbot, turns"""
        if talk.writing or not turns:
            return gr.skip(), gr.skip()
        turns = ask(turns[:-1], turns[-1]["question"])
        return self.show(turns), turns

    def edit(self, turns: list[Turn], talk: Talk, event: gr.EditData) -> tuple[Any, Any]:
        """A question in other words; what followed it is gone. -> chatbot, turns"""
        index = event.index if isinstance(event.index, int) else 0
        question = api.clean(event.value)
        if talk.writing or not question:
            return self.show(turns), gr.skip()
        turns = ask(turns[: index // 2], question)
        return self.show(turns), turns

    def answer(self, turns: list[Turn], talk: Talk) -> Iterator[tuple[Any, Any, Any]]:
        """Stream the answer to the last question. -> chatbot, turns, browser"""
        if talk.writing or not turns or turns[-1]["reply"]:
            yield gr.skip(), gr.skip(), gr.skip()
            return
        talk.writing, talk.stop, talk.drop = True, False, False
        try:
            yield from self._stream(turns, talk)
        finally:
            talk.writing = False

    def _stream(self, turns: list[Turn], talk: Talk) -> Iterator[tuple[Any, Any, Any]]:
        before, question = self.show(turns)[:-1], turns[-1]["question"]
        draft, reply = Draft(""), None
        events = self.host.reply(question, history(turns))
        for event in steady(events):
            if isinstance(event, Reply):
                reply = event.to_json()
                break
            draft = event if isinstance(event, Draft) else draft
            if talk.stop:
                break
            yield [*before, writing(event)], gr.skip(), gr.skip()
        events.close()
        turns = [] if talk.drop else close(turns, reply or stopped(draft))
        yield self.show(turns), turns, keep(turns)

    def stop(self, talk: Talk) -> None:
        """Ask the running answer to end; what it has so far stays."""
        talk.stop = True

    def give_up(self, turns: list[Turn]) -> tuple[Any, Any]:
        """The queue was full, or the answer failed: say so. -> chatbot, turns"""
        if not turns or turns[-1]["reply"]:
            return gr.skip(), gr.skip()
        turns = close(turns, Reply(BUSY, abstained=True).to_json())
        return self.show(turns), turns

    def undo(self, turns: list[Turn], talk: Talk) -> tuple[Any, Any, Any, Any]:
        """Take the last question back into the text box. -> chatbot, turns, textbox, browser"""
        if talk.writing or not turns:
            return gr.skip(), gr.skip(), gr.skip(), gr.skip()
        question, turns = turns[-1]["question"], turns[:-1]
        return self.show(turns), turns, question, keep(turns)

    def clear(self, talk: Talk) -> tuple[Any, Any, Any]:
        """A new conversation. -> chatbot, turns, browser"""
        talk.stop = talk.drop = True
        return [], [], keep([])

    def come_back(self, stored: Any) -> tuple[Any, Any]:
        """The conversation of the last visit. -> chatbot, turns"""
        turns = restore(stored)
        return (self.show(turns), turns) if turns else (gr.skip(), gr.skip())


def chosen_text(event: gr.EventData) -> str | None:
    """The text of a button that was clicked; None when the question was typed."""
    data = event._data if isinstance(event._data, dict) else {}
    value = data.get("question", data.get("value"))
    value = value.get("text") if isinstance(value, dict) else value
    return value if isinstance(value, str) else None


def stopped(draft: Draft) -> dict[str, Any]:
    """What there was when the visitor pressed Stop, as a reply."""
    return {**Reply(draft.text or STOPPED, side=draft.side).to_json(), "stopped": True}


# -------------------------------------------------------------------------------- page


def theme() -> gr.themes.Base:
    """Gradio's theme in our colours, with the fonts of the reader's system: nothing is fetched."""
    fonts = ("system-ui", "-apple-system", "Segoe UI", "sans-serif")
    return gr.themes.Base(font=fonts, font_mono=("ui-monospace", "monospace")).set(
        body_background_fill="var(--bg)",
        body_background_fill_dark="var(--bg)",
        body_text_color="var(--ink)",
        body_text_color_dark="var(--ink)",
        body_text_color_subdued="var(--muted)",
        body_text_color_subdued_dark="var(--muted)",
        border_color_primary="var(--line)",
        border_color_primary_dark="var(--line)",
        background_fill_primary="var(--bg)",
        background_fill_primary_dark="var(--bg)",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_shadow="none",
    )


def head() -> str:
    """What goes into <head>: the widgets' styles and script, then the page's."""
    style = (STATIC / "chat.css").read_text("utf-8")
    script = (STATIC / "chat.js").read_text("utf-8")
    return f"{bridge.head()}<style>{style}</style><script>{script}</script>"


def panel_value(topics: Mapping[str, Any], demos: Mapping[str, Demo]) -> list[dict[str, Any]]:
    """The topics as the side panel lists them; `live` ones have a demo."""
    live = {demo.topic for demo in demos.values()}
    return [
        {"slug": slug, "title": one.title, "side": one.side, "live": slug in live,
         "question": one.questions[0] if one.questions else f"What is {one.title}?"}
        for slug, one in topics.items()
    ]  # fmt: skip


def drawn(value: Any, script: str, name: str, **more: Any) -> gr.HTML:
    """A part of the page that chat.js draws from `value`."""
    return gr.HTML(
        value,
        html_template="<div></div>",
        js_on_load=script,
        apply_default_css=False,
        elem_id=name,
        **more,
    )


def build(
    host: api.Host,
    demos: Mapping[str, Demo],
    topics: Mapping[str, Any],
    resources: Mapping[str, Callable[[], object]],
) -> gr.Blocks:
    """The page with its events and the public endpoints."""
    title = "Predict or Create?"
    with gr.Blocks(title=title, analytics_enabled=False, delete_cache=(3600, 3600)) as blocks:
        turns = gr.State([], time_to_live=3600)
        talk = gr.State(Talk(), time_to_live=3600)
        browser = gr.BrowserState(None, storage_key="predict-or-create", secret="not a secret")
        with gr.Row(elem_id="page"):
            with gr.Column(elem_id="aside", min_width=0):
                gr.HTML(TITLE, apply_default_css=False, js_on_load=None)
                panel = panel_value(topics, demos)
                drawn(panel, "TutorPage.panel(element, props, watch)", "topics")
            with gr.Column(elem_id="main", min_width=0):
                banner = drawn(
                    None, "TutorPage.banner(element, () => trigger('again', {}))", "banner"
                )
                chatbot = _chatbot()
                with gr.Row(elem_id="composer"):
                    textbox = _textbox()
                    send = gr.Button("Send", elem_id="send", min_width=0, scale=0)
                    stop = gr.Button("Stop", elem_id="stop", min_width=0, scale=0)
                with gr.Row(elem_id="tools"):
                    export = gr.Button("Save as Markdown", elem_id="export", min_width=0, scale=0)
                    clear = gr.Button("New conversation", elem_id="clear", min_width=0, scale=0)
        remote = drawn(
            None,
            "TutorPage.connect(question => trigger('submit', {question}), props, watch)",
            "remote",
            visible="hidden",
        )
        bridge.bridge(demos, resources)
        api.publish(host, demos, resources)
        do = Conversation(host, demos, chatbot)
        quick: dict[str, Any] = {
            "queue": False, "show_progress": "hidden", "api_visibility": "private"
        }  # fmt: skip
        asked = gr.on(
            [textbox.submit, send.click, chatbot.example_select, chatbot.option_select, remote.submit],
            do.begin, [textbox, turns, talk], [chatbot, turns, textbox], **quick,
        )  # fmt: skip
        retried = chatbot.retry(do.retry, [turns, talk], [chatbot, turns], **quick)
        edited = chatbot.edit(do.edit, [turns, talk], [chatbot, turns], **quick)
        for began in (asked, retried, edited):
            ended = began.then(
                do.answer, [turns, talk], [chatbot, turns, browser], show_progress="hidden",
                concurrency_id="tutor", concurrency_limit=4, api_visibility="private",
            )  # fmt: skip
            ended.failure(do.give_up, turns, [chatbot, turns], **quick)
        stop.click(do.stop, talk, None, **quick)
        chatbot.undo(do.undo, [turns, talk], [chatbot, turns, textbox, browser], **quick)
        clear.click(do.clear, talk, [chatbot, turns, browser], **quick)
        export.click(lambda turns: {"markdown": markdown(turns), "at": time.time()},
                     turns, remote, **quick)  # fmt: skip
        banner.again(host.wake, None, None, **quick)
        blocks.load(do.come_back, browser, [chatbot, turns], **quick)
    blocks.state_session_capacity = 500
    return blocks.queue(max_size=64)


def _chatbot() -> gr.Chatbot:
    return gr.Chatbot(
        elem_id="conversation",
        show_label=False,
        container=False,
        layout="panel",
        height="auto",
        autoscroll=False,
        editable="user",
        buttons=[],
        render_markdown=False,
        sanitize_html=True,
        allow_tags=False,
        latex_delimiters=[],
        placeholder="",
        examples=[{"text": text, "display_text": name} for name, text in STARTERS.items()],
    )


def _textbox() -> gr.Textbox:
    return gr.Textbox(
        elem_id="question",
        label="Your question",
        show_label=False,
        container=False,
        placeholder="Ask, or say what you want to try",
        lines=1,
        max_lines=6,
        max_length=QUESTION_LIMIT,
        autofocus=False,
        scale=1,
        min_width=0,
    )
