"""The chat page in a real browser: asking, reading, stopping, and everything around it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

import demos as all_demos
from app import create_app, open_real_tutor
from assets import AssetError
from demos.base import Bars, Demo, Slider, Text, View
from explainers.reply import Citation, DemoCall, Draft, Reply, Span, Token
from explainers.topics import load_topics
from interface.chat import STARTERS, inert

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

EVIL = "<img src=evil.png onerror=alert(1)> ${alert(1)} {{value}} <script>alert(1)</script>"
QUOTED = "A GAN is made of two networks that compete. "
WRITTEN = (" The", " generator", " starts", " from", " noise", ".")
FOLLOW_UPS = ("Who judges the pictures?", "What is mode collapse?")


class SlowTutor:
    """Says two sentences word by word, so that a test can watch, stop and ask again.

    A question with "demo" gets a demo, one with "moon" is not covered, one with "evil" is answered
    in HTML; from memory it says one sentence that no passage says. The answer ends with the number of messages that came before.
    """

    language_model = None

    def reply(
        self, question: str, history: Sequence[Mapping[str, str]] = (), *, from_memory: bool = False
    ) -> Iterator[Draft | Reply]:
        if "moon" in question:
            yield Reply("I don't cover that.", abstained=True, reason="Nothing is near enough.", follow_ups=FOLLOW_UPS)
            return
        if from_memory:
            made_up = Span("GANs were invented in 1904.", False, (Token("GANs", 0.5),), supported=False)
            yield Reply(made_up.text, spans=(made_up,), from_memory=True)
            return
        tokens = [Token(text, 0.3, ((" begins", 0.4), (EVIL, 0.1))) for text in WRITTEN]
        tail = f" {EVIL}" if "evil" in question else f" After {len(history)}."
        tokens.append(Token(tail, 0.9))
        spans = (
            Span(QUOTED, True),
            Span("".join(t.text for t in tokens).strip(), False, tuple(tokens)),
        )
        answer = "".join(span.text for span in spans)
        for end in [i for i, letter in enumerate(answer) if letter == " "]:
            yield Draft(answer[:end], "create")
            time.sleep(0.3 if "slow" in question else 0.01)
        inputs = {"to": 3} if "3" in question else {}
        quote = f"Two networks compete. {EVIL if 'evil' in question else ''}"
        yield Reply(
            answer, "create", spans=spans, topic="gan",
            citations=(Citation("gan", "GANs", "In short", quote),),
            demo=DemoCall("count", inputs) if "demo" in question else None,
            follow_ups=(EVIL,) if "evil" in question else FOLLOW_UPS,
        )  # fmt: skip


def count(word: str, to: int) -> Iterator[View]:
    """The plainest demo: it counts."""
    for i in range(to + 1):
        yield Bars({word: i / to})


DEMO = Demo(
    slug="count", title="Count", side="create", topic="gan", summary="Counts.", run=count,
    inputs=(
        Text(name="word", label="Word", default="sheep"),
        Slider(name="to", label="To", minimum=1, maximum=9, default=5),
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def address(serve: Any) -> Iterator[str]:
    with serve(create_app(SlowTutor, {"count": DEMO}, load_topics())) as where:
        yield where


@pytest.fixture
def chat(page: Any, address: str) -> Any:
    return opened(page, address)


def opened(page: Any, address: str) -> Any:
    page.goto(address)
    expect(page.locator("#question textarea")).to_be_visible()
    expect(page.locator(".topic").first).to_be_attached()
    return page


def send(page: Any, question: str) -> None:
    page.locator("#question textarea").fill(question)
    page.locator("#question textarea").press("Enter")


def ask(page: Any, question: str) -> Any:
    """Ask, wait for the end, and give the last answer."""
    before = page.locator(".answer").count()
    send(page, question)
    expect(page.locator(".answer")).to_have_count(before + 1)
    expect(page.locator(".answer.writing")).to_have_count(0, timeout=60_000)
    return page.locator(".answer").last


# ----------------------------------------------------------------------- ask and read


def test_ask_and_read(chat: Any) -> None:
    answer = ask(chat, "How does a GAN work?")
    expect(chat.locator(".user-row")).to_contain_text("How does a GAN work?")
    expect(answer.locator(".answer-text")).to_contain_text(
        "compete.❞ The generator starts from noise."
    )
    expect(answer.locator(".badge.create")).to_contain_text("creates")
    expect(answer.get_by_role("img", name="quoted from the passage")).to_have_count(1)
    expect(chat.locator(".option")).to_have_text(list(FOLLOW_UPS))
    expect(chat.locator("#tutor-live")).to_contain_text("Answer: A GAN is made")
    chat.locator(".option").first.click()
    expect(chat.locator(".answer-text").nth(1)).to_contain_text("After 2.")


def test_starters_and_topics_ask(chat: Any) -> None:
    chat.locator(".example").nth(2).click()
    expect(chat.locator(".user-row")).to_contain_text("How does a GAN work?")
    expect(chat.locator(".answer.writing")).to_have_count(0)
    chat.get_by_role("searchbox", name="Find a topic").fill("diffusion")
    chat.locator(".topic:visible").first.click()
    expect(chat.locator(".user-row")).to_have_count(2)


def test_what_is_not_covered_is_said_kindly(chat: Any) -> None:
    answer = ask(chat, "Who walked on the moon?")
    expect(answer).to_contain_text("not covered")
    expect(chat.locator(".option")).to_have_count(len(FOLLOW_UPS))


def test_an_answer_from_memory_is_marked(chat: Any) -> None:
    chat.get_by_label("memory", exact=True).check()
    ask(chat, "How does a GAN work?")
    answer = chat.locator(".answer").last
    expect(answer).to_contain_text("from memory, nothing looked up")
    expect(answer.locator(".doubtful")).to_contain_text("1904")
    expect(answer.get_by_role("img", name="no passage says this")).to_be_visible()
    chat.get_by_label("the material").check()
    ask(chat, "How does a GAN work?")
    expect(chat.locator(".answer").last).to_contain_text(QUOTED.strip())


def test_a_passage_opens_and_escape_closes_it(chat: Any) -> None:
    ask(chat, "How does a GAN work?")
    chip = chat.get_by_role("button", name="GANs · In short")
    chip.focus()
    chat.keyboard.press("Enter")
    expect(chat.locator(".passage blockquote")).to_have_text("Two networks compete. ")
    chat.keyboard.press("Escape")
    expect(chat.locator(".passage")).to_have_count(0)
    expect(chip).to_be_focused()


def test_the_words_of_an_answer_show_what_else_was_weighed(chat: Any) -> None:
    ask(chat, "How does a GAN work?")
    chat.get_by_role("button", name="Look inside the words").click()
    expect(chat.locator(".answer-text")).to_have_text(re.compile("compete.❞ The generator starts"))
    chat.locator(".word").first.focus()
    chat.keyboard.press("ArrowRight")
    expect(chat.locator(".word").nth(1)).to_be_focused()
    chat.keyboard.press("Enter")
    expect(chat.get_by_role("dialog")).to_contain_text("begins")
    expect(chat.get_by_role("dialog")).to_contain_text(EVIL)
    chat.keyboard.press("Escape")
    expect(chat.get_by_role("dialog")).to_have_count(0)
    expect(chat.locator(".word").nth(1)).to_be_focused()
    chat.get_by_role("button", name="Look inside the words").click()
    expect(chat.locator(".answer-text")).to_contain_text("The generator starts from noise.")


# ------------------------------------------------------------- stop, retry, undo, edit


def test_it_streams_and_stops(chat: Any) -> None:
    send(chat, "slow please")
    text = chat.locator(".answer.writing .answer-text")
    expect(text).to_contain_text("A GAN is")
    expect(chat.locator("#send")).to_be_hidden()
    seen = text.inner_text()
    expect(text).to_contain_text("networks")
    assert text.inner_text().startswith(seen)
    chat.locator("#stop").click()
    expect(chat.locator(".answer")).to_contain_text("stopped")
    expect(chat.locator(".answer-text")).not_to_contain_text("noise")
    expect(chat.locator("#send")).to_be_visible()
    assert "After 2." in ask(chat, "go on").inner_text()


def test_a_second_question_waits_for_the_first(chat: Any) -> None:
    send(chat, "slow please")
    expect(chat.locator(".answer.writing")).to_be_visible()
    chat.locator(".topic").first.dispatch_event("click")
    send(chat, "me too")
    expect(chat.locator(".user-row")).to_have_count(1)
    chat.locator("#stop").click()
    expect(chat.locator(".answer.writing")).to_have_count(0)
    expect(chat.locator("#question textarea")).to_have_value("me too")


def test_retry_undo_and_edit(chat: Any) -> None:
    ask(chat, "first")
    ask(chat, "second <b>")
    chat.get_by_role("button", name="Retry").click()
    expect(chat.locator(".answer-text").last).to_contain_text("After 2.")
    expect(chat.locator(".user-row")).to_have_count(2)
    chat.get_by_role("button", name="Undo").click()
    expect(chat.locator(".user-row")).to_have_count(1)
    expect(chat.locator("#question textarea")).to_have_value("second <b>")
    chat.get_by_role("button", name="Edit").first.click()
    chat.locator(".user-row textarea").fill("first, in other words")
    chat.get_by_role("button", name="Submit").click()
    expect(chat.locator(".user-row")).to_contain_text("in other words")
    expect(chat.locator(".answer-text")).to_contain_text("After 0.")


def test_a_new_conversation_even_while_writing(chat: Any) -> None:
    send(chat, "slow please")
    expect(chat.locator(".answer.writing")).to_be_visible()
    chat.get_by_role("button", name="New conversation").click()
    expect(chat.locator(".example")).to_have_count(4)
    chat.wait_for_timeout(700)
    expect(chat.locator(".user-row")).to_have_count(0)
    assert "After 0." in ask(chat, "again").inner_text()


def test_copy_and_save(open_page: Any, address: str) -> None:
    permissions = ["clipboard-read", "clipboard-write"]
    page = opened(open_page(permissions=permissions, accept_downloads=True), address)
    ask(page, "How does a GAN work?")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith(QUOTED)
    for _ in range(2):
        with page.expect_download() as download:
            page.get_by_role("button", name="Save as Markdown").click()
        text = download.value.path().read_text("utf-8")
        assert "## How does a GAN work?" in text and "> Two networks compete." in text


# ------------------------------------------------------------------------------ demos


def test_demos_live_in_the_conversation(chat: Any) -> None:
    ask(chat, "a demo up to 3")
    first = chat.locator(".demo-host").first
    expect(first).to_contain_text("100%")  # it ran by itself: the question named the input
    ask(chat, "another demo")
    second = chat.locator(".demo-host").nth(1)
    expect(second).not_to_contain_text("100%")
    second.get_by_label("Word").fill("goats")
    second.get_by_role("button", name="Run").click()
    expect(second).to_contain_text("goats")
    second.get_by_label("Word").fill("half typed")
    ask(chat, "one more question")
    expect(second.get_by_label("Word")).to_have_value("half typed")
    expect(second).to_contain_text("100%")
    expect(first).to_contain_text("sheep")


def test_a_reload_brings_the_conversation_back(chat: Any) -> None:
    ask(chat, "a demo up to 3")
    ask(chat, f"second {EVIL}")
    chat.reload()
    expect(chat.locator(".answer")).to_have_count(2)
    expect(chat.locator(".user-row").last).to_contain_text(inert(EVIL))
    expect(chat.locator(".demo-host")).to_contain_text("Count")
    expect(chat.locator(".demo-host")).not_to_contain_text("100%")
    assert "After 4." in ask(chat, "third").inner_text()


@pytest.mark.parametrize("stored", ["garbage", "", "{}"])
def test_corrupt_stored_data_is_ignored(chat: Any, stored: str) -> None:
    ask(chat, "first")
    chat.evaluate("text => localStorage.setItem('predict-or-create', text)", stored)
    chat.reload()
    expect(chat.locator(".example")).to_have_count(4)
    assert "After 0." in ask(chat, "again").inner_text()


# --------------------------------------------------------------------- safe, for everyone


def test_text_is_never_run(chat: Any, address: str) -> None:
    asked = []
    chat.on("request", lambda one: asked.append(one.url))
    ask(chat, f"evil {EVIL}")
    expect(chat.locator(".user-row")).to_contain_text(inert(EVIL))
    expect(chat.locator(".answer-text")).to_contain_text(EVIL)
    chat.locator(".cite").click()
    expect(chat.locator(".passage blockquote")).to_contain_text(EVIL)
    expect(chat.locator(".option")).to_contain_text(EVIL)
    assert not [url for url in asked if "evil.png" in url]
    assert chat.locator("#conversation img").count() == 0


def test_keyboard_alone(chat: Any) -> None:
    chat.locator("#question textarea").focus()
    chat.keyboard.type("How does a GAN work?")
    chat.keyboard.press("Enter")
    expect(chat.locator(".option")).to_have_count(2)
    names = []
    for _ in range(12):
        chat.keyboard.press("Shift+Tab")
        names.append(chat.evaluate("document.activeElement.textContent"))
        if FOLLOW_UPS[0] in names[-1]:
            break
    chat.keyboard.press("Enter")
    expect(chat.locator(".user-row")).to_have_count(2), names


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_and_follows_the_colour_scheme(
    open_page: Any, address: str, width: int, scheme: str
) -> None:
    viewport = {"width": width, "height": 844}
    page = opened(open_page(viewport=viewport, color_scheme=scheme), address)
    ask(page, "a demo with a" + "very" * 40 + "long word")
    page.get_by_role("button", name="Look inside the words").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    red, *_ = map(
        int, re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))
    )
    assert (red < 60) == (scheme == "dark")
    box = page.locator("#composer").bounding_box()
    assert box and box["y"] + box["height"] <= 844
    if width == 390:
        page.get_by_text(re.compile(r"Browse \d+ topics")).click()
        expect(page.locator(".topic").first).to_be_visible()


def test_every_control_has_a_name(chat: Any) -> None:
    ask(chat, "a demo")
    nameless = chat.evaluate(
        """() => [...document.querySelectorAll('button, input, textarea, select')]
            .filter((one) => one.offsetParent && !one.innerText.trim() && !one.ariaLabel
                && !one.title && !one.labels?.length && !one.closest('label'))
            .map((one) => one.outerHTML.slice(0, 200))"""
    )
    assert nameless == []


# ---------------------------------------------------------------------------- waking up


def test_a_question_asked_too_early_is_answered_later(page: Any, serve: Any) -> None:
    ready = threading.Event()

    def load() -> SlowTutor:
        ready.wait(30)
        return SlowTutor()

    with serve(create_app(load, {}, {})) as address:
        page.goto(address)
        expect(page.locator(".banner")).to_contain_text("waking up")
        send(page, "Early?")
        expect(page.locator(".answer.writing")).to_contain_text("Your question is next")
        ready.set()
        expect(page.locator(".answer-text")).to_contain_text("The generator starts")
        expect(page.locator(".banner")).to_be_hidden()


def test_a_tutor_that_cannot_start_says_why_and_can_be_tried_again(page: Any, serve: Any) -> None:
    tries = []

    def load() -> SlowTutor:
        tries.append(1)
        if len(tries) < 2:
            raise AssetError("There is no network. Connect once.")
        return SlowTutor()

    with serve(create_app(load, {}, {})) as address:
        page.goto(address)
        expect(page.locator(".banner")).to_contain_text("There is no network. Connect once.")
        page.get_by_role("button", name="Try again").click()
        expect(page.locator(".banner")).to_be_hidden()
        assert "starts from noise" in ask(page, "Now?").inner_text()


# ------------------------------------------------------------------------ the real tutor


def test_the_real_tutor_answers_every_starter(page: Any, serve: Any) -> None:
    found = all_demos.load()
    try:
        tutor = open_real_tutor(found)
    except AssetError as error:
        pytest.skip(str(error))
    with serve(create_app(lambda: tutor, found, load_topics())) as address:
        opened(page, address)
        for question in STARTERS.values():
            answer = ask(page, question)
            expect(answer.locator(".cite").first).to_be_visible()
            expect(answer).not_to_contain_text("not covered")
