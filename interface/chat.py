"""The page: conversation, topics, events.

The conversation is a list of turns, kept in a gr.State; the Chatbot only shows it. An answer is one
gr.HTML in its message: its value is plain JSON (a draft while the tutor writes, then the reply),
and static/chat.js draws it, every text through textContent. The template never names the value: a
template that did would run what a visitor typed. The live demo is a second part, from `bridge`.

A question goes through three events: `begin` puts it on the page at once, `answer` waits in the
queue for the tutor and streams, `finish` shows the reply. Drafts travel through a small hidden
component, `live`: with the Chatbot among the outputs, each draft makes the browser compare all the
conversation (30 ms after ten turns). Whether the tutor is writing can be seen in the page
(`.answer.writing`), so Send and Stop change places by CSS alone and never disagree with it.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypedDict

import gradio as gr
from gradio.components.chatbot import ComponentMessage, Message

from demos.base import Demo
from explainers.reply import Draft, Reply
from explainers.topics import Topic
from interface import api, bridge
from interface.runs import Gate, Resources

STARTERS = {
    "◐ What is the difference?": "How do machine learning and generative AI differ?",
    "◐ The same text, both sides": "Ask both sides: what a waste of an evening",
    "✦ How does a GAN work?": "How does a GAN work?",
    "✦ Draw me a picture": "Draw a red heart",
}
UPDATES_PER_SECOND = 20
QUESTION_LIMIT = 4_000  # characters kept; the tutor says how many it reads
KEPT_TURNS = 30  # in the browser, for the next visit
KEPT_BYTES = 400_000
JOINER = "\u2060"  # invisible; after it, "<" begins no tag
BUSY = "Many people are asking right now. Please ask again in a moment."
STOPPED = "Stopped before the first word."
MATERIAL, MEMORY = "the material", "memory"  # what an answer may rest on
TITLE = """<header><h1><span class="p">Predict</span> or <span class="c">Create</span>?</h1>
<p>Ask about machine learning and generative AI. Try everything.</p></header>"""
STATIC = Path(__file__).parent / "static"

STATE_SECONDS = 6 * 3600  # how long an open tab may be idle; a closed one is forgotten in an hour
QUICK: dict[str, Any] = {
    "queue": False, "show_progress": "hidden", "api_visibility": "private",
}  # fmt: skip
QUEUED: dict[str, Any] = {
    "concurrency_id": "tutor", "concurrency_limit": 4,
    "show_progress": "hidden", "api_visibility": "private",
}  # fmt: skip

Shown = list[dict[str, Any] | Message]


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
    name, kept = uuid.uuid4().hex[:8], question[:QUESTION_LIMIT]
    return [*turns, Turn(question=kept, reply=None, wid=name, fresh=True)]


def close(turns: Sequence[Turn], reply: dict[str, Any]) -> list[Turn]:
    """The turns with the last one answered."""
    return [*turns[:-1], Turn(**{**turns[-1], "reply": reply})]


def plain(reply: Reply) -> dict[str, Any]:
    """A reply as JSON has it: lists, no tuples, so that kept and restored ones are the same."""
    return json.loads(json.dumps(reply.to_json()))


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
    """Whether a stored turn has the shape that the page draws."""
    reply = one.get("reply") if isinstance(one, dict) else None
    return (
        isinstance(reply, dict)
        and isinstance(one.get("question"), str)
        and isinstance(reply.get("answer"), str)
        and reply.get("side") in ("predict", "create", "both", None)
        and isinstance(reply.get("demo") or {}, dict)
        and _is_list_of(dict, reply.get("citations"))
        and _is_list_of(dict, reply.get("spans"))
        and _is_list_of(str, reply.get("follow_ups"))
        and len(json.dumps(reply)) <= KEPT_BYTES
    )


def _is_list_of(kind: type, given: Any) -> bool:
    return isinstance(given or [], list) and all(isinstance(one, kind) for one in given or [])


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
    """What the Chatbot shows. The same turns make the same parts, so widgets keep their state."""
    shown: Shown = []
    for turn in turns:
        shown.append({"role": "user", "content": inert(turn["question"])})
        shown.append(answered(turn, demos) if turn["reply"] else pending())
    return shown


def inert(text: str) -> str:
    """Text that no browser takes for HTML, and that reads, and edits, as it was typed.

    Gradio sanitizes HTML, even with Markdown off, but leaves an `<img>` that asks for its picture.
    """
    return re.sub("[<&]", rf"\g<0>{JOINER}", text)


def answered(turn: Turn, demos: Mapping[str, Demo], above: str = "") -> dict[str, Any]:
    """A finished answer: the text with its sources, the demo, and what to ask next.

    above: the demo under the answer before; that one comes again only with inputs of its own.
    """
    reply = turn["reply"] or {}
    call = reply.get("demo") or {}
    parts = [answer_part({**reply, "state": "done", "fresh": turn["fresh"]})]
    inputs = call.get("inputs") if isinstance(call.get("inputs"), dict) else {}
    demo = demos.get(str(call.get("slug")))
    if demo and (inputs or demo.slug != above):
        start = bool(inputs) and turn["fresh"]
        widget = bridge.widget(demo.slug, inputs, turn["wid"], demo.describe(), autorun=start)
        parts.append(part(widget))
    options = [{"value": text} for text in (reply.get("follow_ups") or [])[:3]]
    return {"role": "assistant", "content": parts, "options": options}


def pending() -> dict[str, Any]:
    """The place of an answer that has not begun; `live` fills it."""
    return {"role": "assistant", "content": [answer_part(unfinished(api.Waiting("")))]}


def unfinished(event: api.Waiting | Draft) -> dict[str, Any]:
    """An answer that is being written, as chat.js draws it."""
    if isinstance(event, Draft):
        return {"state": "writing", "answer": event.text, "side": event.side}
    return {"state": "writing", "answer": "", "status": event.text}


def answer_part(value: dict[str, Any]) -> ComponentMessage:
    """The part of a message that chat.js draws."""
    script = "TutorPage.answer(element, props, watch)"
    template = "<div class='answer-part'></div>"
    return part(gr.HTML(value, html_template=template, js_on_load=script, apply_default_css=False))


def part(component: gr.HTML) -> ComponentMessage:
    """A component as a message carries it: what it was made with, and no more.

    Gradio makes no component inside an event, and takes 3 ms for each afterwards.
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
        """The turns, ready for the browser."""
        return self.chatbot.postprocess(messages(turns, self.demos)).root

    def begin(
        self, typed: str, turns: list[Turn], talk: Talk, stored: Any, event: gr.EventData
    ) -> tuple[Any, Any, Any]:
        """A question, typed or chosen, appears at once. -> chatbot, turns, textbox

        A server that was started anew has forgotten the turns of an open tab: its browser has them.
        """
        chosen = chosen_text(event)
        question = api.clean(typed if chosen is None else chosen)
        if talk.writing or not question:
            return gr.skip(), gr.skip(), gr.skip()
        turns = ask(turns or restore(stored), question)
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
        question = api.clean(event.value).replace(JOINER, "")
        if talk.writing or not question:
            return self.show(turns), gr.skip()
        turns = ask(turns[: index // 2], question)
        return self.show(turns), turns

    def answer(self, turns: list[Turn], talk: Talk, source: str = MATERIAL) -> Iterator[tuple[Any, Any]]:
        """Stream the answer to the last question, from the material or from memory. -> live, turns"""
        if talk.writing or not turns or turns[-1]["reply"]:
            yield gr.skip(), gr.skip()
            return
        talk.writing, talk.stop, talk.drop = True, False, False
        try:
            yield from self._stream(turns, talk, from_memory=source == MEMORY)
        finally:
            talk.writing = False

    def _stream(self, turns: list[Turn], talk: Talk, *, from_memory: bool) -> Iterator[tuple[Any, Any]]:
        draft, reply = Draft(""), None
        events = self.host.reply(turns[-1]["question"], history(turns), from_memory=from_memory)
        for event in steady(events):
            if isinstance(event, Reply):
                reply = plain(event)
                break
            draft = event if isinstance(event, Draft) else draft
            if talk.stop:
                break
            yield unfinished(event), gr.skip()
        events.close()
        yield {}, [] if talk.drop else close(turns, reply or stopped(draft))

    def finish(self, turns: list[Turn], talk: Talk) -> tuple[Any, Any]:
        """Show what `answer` ended with. -> chatbot, browser"""
        if talk.writing:  # this follows a question that was refused: another answer is under way
            return gr.skip(), gr.skip()
        return self.show(turns), keep(turns)

    def stop(self, talk: Talk) -> None:
        """Ask the running answer to end; what it has so far stays."""
        talk.stop = True

    def give_up(self, turns: list[Turn]) -> tuple[Any, Any]:
        """The queue was full, or the answer failed: say so. -> chatbot, turns"""
        if not turns or turns[-1]["reply"]:
            return gr.skip(), gr.skip()
        turns = close(turns, plain(Reply(BUSY, abstained=True)))
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

    def export(self, turns: list[Turn]) -> dict[str, Any]:
        """The conversation as a file; the time makes every click a change that the page sees."""
        return {"markdown": markdown(turns), "at": time.time()}

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
    return {**plain(Reply(draft.text or STOPPED, side=draft.side)), "stopped": True}


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


def panel_value(topics: Mapping[str, Topic], demos: Mapping[str, Demo]) -> list[dict[str, Any]]:
    """The topics as the side panel lists them; `live`: 2 the home of a demo, 1 has one, 0 none."""
    homes = {demo.topic for demo in demos.values()}
    return [
        {"slug": slug, "title": one.title, "side": one.side, "question": one.questions[0],
         "live": 2 if slug in homes else int(any(name in demos for name in one.demos))}
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
    topics: Mapping[str, Topic],
    resources: Resources,
    gate: Gate,
) -> gr.Blocks:
    """The page with its events, and the public endpoints."""
    title = "Predict or Create?"
    with gr.Blocks(title=title, analytics_enabled=False, delete_cache=(3600, 3600)) as blocks:
        page = lay_out(panel_value(topics, demos))
        do = Conversation(host, demos, page.chatbot)
        wire(page, do)
        page.banner.again(host.wake, None, None, **QUICK)
        blocks.load(do.come_back, page.browser, [page.chatbot, page.turns], **QUICK)
        bridge.bridge(demos, resources, gate=gate)
        api.publish(host, demos, resources, gate)
    blocks.state_session_capacity = 500
    return blocks.queue(max_size=64)


def lay_out(topics: list[dict[str, Any]]) -> SimpleNamespace:
    """The parts of the page, by name; static/chat.css puts them in their places."""
    page = SimpleNamespace(turns=gr.State([], time_to_live=STATE_SECONDS))
    page.talk = gr.State(Talk(), time_to_live=STATE_SECONDS)
    page.browser = gr.BrowserState(None, storage_key="predict-or-create", secret="not a secret")
    with gr.Row(elem_id="page"):
        with gr.Column(elem_id="aside", min_width=0):
            gr.HTML(TITLE, apply_default_css=False, js_on_load=None)
            drawn(topics, "TutorPage.panel(element, props, watch)", "topics")
        with gr.Column(elem_id="main", min_width=0):
            again = "TutorPage.banner(element, () => trigger('again', {}))"
            page.banner = drawn(None, again, "banner")
            page.chatbot = conversation()
            with gr.Row(elem_id="composer"):
                page.textbox = question_box()
                page.send = gr.Button("Send", elem_id="send", min_width=0, scale=0)
                page.stop = gr.Button("Stop", elem_id="stop", min_width=0, scale=0)
            page.source = source_choice()
            with gr.Row(elem_id="tools"):
                page.export = gr.Button("Save as Markdown", min_width=0, scale=0)
                page.clear = gr.Button("New conversation", min_width=0, scale=0)
    connect = "TutorPage.connect(question => trigger('submit', {question}), props, watch)"
    page.remote = drawn(None, connect, "remote", visible="hidden")
    page.live = drawn({}, "TutorPage.live(props, watch)", "live", visible="hidden")
    return page


def wire(page: SimpleNamespace, do: Conversation) -> None:
    """Which event does what."""
    chatbot, turns, talk = page.chatbot, page.turns, page.talk
    typed_or_chosen = [page.textbox.submit, page.send.click, page.remote.submit]
    typed_or_chosen += [chatbot.example_select, chatbot.option_select]
    inputs = [page.textbox, turns, talk, page.browser]
    asked = gr.on(typed_or_chosen, do.begin, inputs, [chatbot, turns, page.textbox], **QUICK)
    retried = chatbot.retry(do.retry, [turns, talk], [chatbot, turns], **QUICK)
    edited = chatbot.edit(do.edit, [turns, talk], [chatbot, turns], **QUICK)
    for began in (asked, retried, edited):
        ended = began.then(do.answer, [turns, talk, page.source], [page.live, turns], **QUEUED)
        ended.success(do.finish, [turns, talk], [chatbot, page.browser], **QUICK)
        ended.failure(do.give_up, turns, [chatbot, turns], **QUICK)
    page.stop.click(do.stop, talk, None, **QUICK)
    undone = [chatbot, turns, page.textbox, page.browser]
    chatbot.undo(do.undo, [turns, talk], undone, **QUICK)
    page.clear.click(do.clear, talk, [chatbot, turns, page.browser], **QUICK)
    page.export.click(do.export, turns, page.remote, **QUICK)


def conversation() -> gr.Chatbot:
    """The Chatbot: shows, never asks. Plain text only, and nothing that scrolls inside the page."""
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
        placeholder="Ask a question of your own, or start here:",
        examples=[{"text": text, "display_text": name} for name, text in STARTERS.items()],
    )


def source_choice() -> gr.Radio:
    """Whether the tutor looks things up or the language model answers by itself, to see what that changes."""
    return gr.Radio(
        [MATERIAL, MEMORY],
        value=MATERIAL,
        elem_id="source",
        label="Answer from",
        container=False,
        interactive=True,
    )


def question_box() -> gr.Textbox:
    """Where a question is typed; Enter sends, Shift and Enter begin a new line."""
    return gr.Textbox(
        elem_id="question",
        label="Your question",
        show_label=False,
        container=False,
        placeholder="Ask, or try something",
        lines=1,
        max_lines=6,
        max_length=QUESTION_LIMIT,
        scale=1,
        min_width=0,
    )
