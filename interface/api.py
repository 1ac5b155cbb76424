"""The tutor and the demos as plain calls: JSON text in, JSON text out.

`Host` loads the tutor in the background, so that the page is there before any model is. `publish`
makes three public endpoints of it, for gradio_client, for HTTP and for agents: /ask, /demos and
/run_demo. Whatever a client sends, it gets an answer or one clear sentence.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import gradio as gr

from assets.fetch import AssetError
from demos.base import Demo, DemoError
from explainers.reply import Draft, Reply
from interface import bridge
from interface.runs import Gate, Resources

WAKING = "The tutor is waking up. Your question is next."
ASLEEP = "The tutor could not start. The server's log says why; please try again in a moment."
STUMBLED = "Something went wrong while answering. Please ask again, perhaps in other words."
PATIENCE = 600.0  # seconds an API call waits for the tutor to wake up
HISTORY_LIMIT = 40  # messages
TEXT_LIMIT = 20_000  # characters of any text that a client sends

log = logging.getLogger(__name__)


class Tutor(Protocol):
    """What this package needs of a tutor."""

    def reply(
        self, question: str, history: Sequence[Mapping[str, str]] = (), *, from_memory: bool = False
    ) -> Iterator[Draft | Reply]: ...


@dataclass(frozen=True)
class Waiting:
    """Nothing to read yet; `text` says why."""

    text: str


class Host:
    """A tutor that is loaded in the background. `wake` starts that, and starts it again."""

    def __init__(self, load: Callable[[], Tutor]) -> None:
        self._load = load
        self._tutor: Tutor | None = None
        self._trouble = ""
        self._settled = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Load in a thread, unless that is under way or done."""
        with self._lock:
            if self._tutor or (self._thread and self._thread.is_alive()):
                return
            self._trouble = ""
            self._settled.clear()
            self._thread = threading.Thread(target=self._wake, name="tutor", daemon=True)
            self._thread.start()

    def _wake(self) -> None:
        try:
            self._tutor = self._load()
        except AssetError as error:
            self._trouble = str(error)
            log.error("The tutor could not start: %s", error)
        except Exception:
            self._trouble = ASLEEP
            log.exception("The tutor could not start")
        self._settled.set()

    @property
    def status(self) -> dict[str, str]:
        """`status` is ready, loading or failed; `message` is for the visitor."""
        if self._tutor:
            return {"status": "ready", "message": ""}
        if self._trouble:
            return {"status": "failed", "message": self._trouble}
        return {"status": "loading", "message": "The tutor is waking up..."}

    def tutor(self) -> Tutor:
        """The tutor, as soon as it is there. Raises DemoError, whose text is for the visitor."""
        self._settled.wait(PATIENCE)
        if self._tutor is None:
            raise DemoError(self._trouble or "The tutor is still waking up. Try again in a minute.")
        return self._tutor

    def reply(
        self, question: str, history: Sequence[Mapping[str, str]] = (), *, from_memory: bool = False
    ) -> Iterator[Waiting | Draft | Reply]:
        """What the tutor says, after waiting for it. Never raises; the last item is a Reply."""
        give_up = time.monotonic() + PATIENCE
        while self.status["status"] == "loading" and time.monotonic() < give_up:
            yield Waiting(WAKING)
            self._settled.wait(0.5)
        if self._tutor is None:
            yield Reply(self._trouble or ASLEEP, abstained=True)
            return
        try:
            yield from self._tutor.reply(question, history, from_memory=from_memory)
        except Exception:
            log.exception("The tutor stumbled over a question")
            yield Reply(STUMBLED, abstained=True)


def clean(text: object) -> str:
    """Text as it may be shown and kept: no control, surrogate or direction-override characters."""
    kept = str(text)[: TEXT_LIMIT + 1]
    return "".join(c for c in kept if c in "\n\t" or _harmless(c)).strip()


def _harmless(character: str) -> bool:
    overrides = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    return unicodedata.category(character) not in ("Cc", "Cs") and character not in overrides


def read_json(text: object, name: str) -> Any:
    """Parse JSON. Raises DemoError that says what was given and what is allowed."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        return json.loads(str(text), parse_constant=refuse)
    except (ValueError, RecursionError):
        given = clean(text)[:40]
        raise DemoError(f"{name} is {given!r}; it has to be JSON, without NaN.") from None


def read_history(text: object) -> list[dict[str, str]]:
    """The conversation so far, from JSON. Raises DemoError."""
    given = read_json(text, "The history")
    shape = 'a list of {"role": "user" or "assistant", "content": text}, oldest first'
    if not isinstance(given, list) or not all(_is_message(one) for one in given):
        raise DemoError(f"The history has the wrong shape; it has to be {shape}.")
    recent = given[-HISTORY_LIMIT:]
    return [{"role": one["role"], "content": clean(one["content"])} for one in recent]


def _is_message(given: object) -> bool:
    return (
        isinstance(given, dict)
        and given.get("role") in ("user", "assistant")
        and isinstance(given.get("content"), str)
    )


def publish(host: Host, catalogue: Mapping[str, Demo], resources: Resources, gate: Gate) -> None:
    """The public endpoints and agents' tools, by the names of these functions; inside gr.Blocks."""

    def ask(question: str, history: str = "[]", from_memory: bool = False) -> str:
        """Ask about machine learning or generative AI.

        Parameters:
            question: what you want to know, in plain words
            history: the conversation so far, as a JSON list of {"role", "content"}, oldest first
            from_memory: let the language model answer without the passages, to see what it knows
        Returns:
            JSON text: answer, side (predict, create or both), citations, demo and follow_ups
        """
        try:
            past = read_history(history or "[]")
        except DemoError as error:
            return json.dumps(Reply(str(error), abstained=True).to_json())
        events = host.reply(clean(question), past, from_memory=from_memory is True)
        said = [one for one in events if isinstance(one, Reply)]
        return json.dumps(said[-1].to_json())

    def demos() -> str:
        """The live demos: what each does, which inputs it takes, and examples.

        Returns:
            JSON text: a list of descriptions
        """
        return json.dumps([demo.describe() for demo in catalogue.values()])

    def run_demo(slug: str, inputs: str, request: gr.Request) -> str:
        """Run a live demo.

        Parameters:
            slug: which demo, as /demos names it
            inputs: a JSON object with a value for each input; what is left out has its default
        Returns:
            JSON text: a list of views, such as bars, pictures or notes
        """
        try:
            given = read_json(inputs or "{}", "The inputs")
            visitor = request.session_hash or (request.client.host if request.client else "")
            share = {"gate": gate, "visitor": visitor}
            return json.dumps(bridge.run_demo(catalogue, resources, clean(slug), given, **share))
        except DemoError as error:
            raise gr.Error(str(error), print_exception=False) from None

    gr.api(ask, api_name="ask", concurrency_id="tutor", concurrency_limit=4)
    gr.api(demos, api_name="demos")
    gr.api(run_demo, api_name="run_demo", concurrency_id="demos", concurrency_limit=2)
