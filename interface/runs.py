"""Runs of demos: a turn for each, its views as they come, a way to stop. Knows nothing of Gradio.

A run has a thread of its own that steps through the demo's generator and keeps the newest view of
each key; `replies` reads it from the event loop, at most twenty times a second. So a demo that
yields a thousand views never floods a page, the last view always arrives, and a slow page never
slows a demo. Stopping sets a flag that the thread sees between two views.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import Any

from assets.fetch import AssetError
from demos.base import Demo, DemoError, View

LOG = logging.getLogger(__name__)
PAUSE = 0.05  # seconds between two replies to a page
KEEPALIVE = 1.0  # seconds of silence before an empty reply: it shows whether anyone still listens
DEADLINE = 60.0  # seconds a run may take once it has its turn
STUMBLED = "This demo stumbled. The fault is ours, not yours: try again, or try another input."

Resources = Mapping[str, Callable[[], object]]
Reply = dict[str, Any]


class Gate:
    """Lets `limit` demos run at once; who has fewest running goes first, then who came first.

    each, total: runs that one visitor, and all visitors, may have in hand, waiting ones included.
    A visitor is whatever the caller says, such as a browser tab's session.
    """

    def __init__(self, limit: int = 2, each: int = 4, total: int = 24) -> None:
        self._limit, self._each, self._total = limit, each, total
        self._changed = threading.Condition()
        self._inside: Counter[str] = Counter()
        self._running: Counter[str] = Counter()
        self._waiting: list[tuple[int, str]] = []
        self._numbers = itertools.count()

    def enter(self, visitor: str) -> None:
        """Take a run in hand. Raises DemoError when there are too many."""
        with self._changed:
            if self._inside[visitor] >= self._each:
                raise DemoError(
                    f"You have {self._each} demos running already. Wait for one, or stop one."
                )
            if self._inside.total() >= self._total:
                raise DemoError("Many people are trying demos right now. Try again in a moment.")
            self._inside[visitor] += 1

    def leave(self, visitor: str) -> None:
        """The run that `enter` took in hand has ended."""
        with self._changed:
            self._inside = self._inside - Counter([visitor])

    @contextmanager
    def turn(self, visitor: str, stopped: Callable[[], bool]) -> Iterator[bool]:
        """Wait for a turn, then hold it. Gives False, without a turn, once `stopped()` is true."""
        mine = (next(self._numbers), visitor)
        with self._changed:
            self._waiting.append(mine)
            while not stopped() and not self._is_next(mine):
                self._changed.wait(0.1)
            self._waiting.remove(mine)
            has_turn = not stopped()
            self._running += Counter({visitor: int(has_turn)})
        try:
            yield has_turn
        finally:
            with self._changed:
                self._running -= Counter({visitor: int(has_turn)})
                self._changed.notify_all()

    def _is_next(self, mine: tuple[int, str]) -> bool:
        first = min(self._waiting, key=lambda one: (self._running[one[1]], one[0]))
        return self._running.total() < self._limit and first == mine


class Run(threading.Thread):
    """One run of one demo. `begin` it, then read `news` until it says done; `stop` at any time."""

    def __init__(
        self,
        demo: Demo,
        inputs: Any,
        resources: Resources,
        gate: Gate,
        visitor: str = "",
        deadline: float = DEADLINE,
    ) -> None:
        super().__init__(name=f"demo {demo.slug}", daemon=True)
        self._demo, self._inputs, self._resources = demo, inputs, resources
        self._gate, self._visitor, self._deadline = gate, visitor, deadline
        self._lock = threading.Lock()
        self._shown: dict[str, dict[str, Any]] = {}
        self._changed: set[str] = set()
        self._state, self._error, self._since = "loading", "", 0.0
        self._stopped = threading.Event()
        self._tell: Callable[[], None] = lambda: None

    def begin(self, tell: Callable[[], None] = lambda: None) -> None:
        """Start; `tell` is called, from the run's thread, when there is news. Raises DemoError."""
        self._gate.enter(self._visitor)
        self._tell = tell
        self.start()

    def stop(self) -> None:
        """End as soon as the step in progress is over; whoever reads the news is told at once."""
        self._stopped.set()
        self._end()

    def news(self, everything: bool = False) -> Reply:
        """The state, and the views since the last call (or all of them). Ends an overdue run."""
        if self._state == "running" and time.monotonic() - self._since > self._deadline:
            self._stopped.set()
            self._end(
                f"This took more than {self._deadline:g} seconds and was stopped. "
                "Try a shorter input or fewer steps."
            )
        with self._lock:
            keys = (
                list(self._shown) if everything else [k for k in self._shown if k in self._changed]
            )
            self._changed.clear()
            views = [self._shown[key] for key in keys]
            return {"state": self._state, "views": views, "error": self._error}

    def run(self) -> None:
        """The thread's work; every way to end is turned into a state and a sentence."""
        error = ""
        try:
            self._play()
        except (DemoError, AssetError) as told:  # their texts are for the visitor
            error = str(told)
        except Exception:
            LOG.exception("The demo %s stumbled over %.200r", self._demo.slug, self._inputs)
            error = STUMBLED
        finally:
            self._gate.leave(self._visitor)
            self._end(error)

    def _play(self) -> None:
        self._demo.check(self._inputs)
        given = {name: self._resources[name]() for name in self._demo.needs}
        self._set("waiting")
        with self._gate.turn(self._visitor, self._stopped.is_set) as has_turn:
            if not has_turn:
                return
            self._since = time.monotonic()
            self._set("running")
            with closing(self._demo.play(self._inputs, **given)) as views:
                for view in views:
                    if self._stopped.is_set():
                        return
                    self._show(view)

    def _show(self, view: View) -> None:
        plain = view.describe()
        with self._lock:
            self._shown[plain["key"]] = plain
            self._changed.add(plain["key"])
        self._tell()

    def _set(self, state: str) -> None:
        with self._lock:
            if self._state != "done":
                self._state = state
        self._tell()

    def _end(self, error: str = "") -> None:
        with self._lock:
            if self._state != "done":
                self._state, self._error = "done", error
        self._tell()


async def replies(run: Run, rid: str, *, everything: bool = False) -> AsyncIterator[Reply]:
    """What to send to a page: `rid`, a counter `k`, and the run's news until it is done.

    Closing this iterator, as happens when a tab is closed, stops the run.
    """
    loop, wake = asyncio.get_running_loop(), asyncio.Event()
    try:
        run.begin(lambda: _call_soon(loop, wake.set))
        for k in itertools.count():
            wake.clear()
            news = run.news(everything)
            yield {"rid": rid, "k": k, **news}
            if news["state"] == "done":
                return
            await asyncio.sleep(PAUSE)
            await _wait(wake, KEEPALIVE)
    except DemoError as refused:
        yield refusal(rid, refused)
    finally:
        run.stop()


def refusal(rid: str, error: DemoError) -> Reply:
    """The only reply of a run that never began."""
    return {"rid": rid, "k": 0, "state": "done", "views": [], "error": str(error)}


def result(run: Run) -> list[dict[str, Any]]:
    """Run to the end and give the last view of each key. Raises DemoError."""
    run.begin()
    while (news := run.news(everything=True))["state"] != "done":
        run.join(PAUSE)
    if news["error"]:
        raise DemoError(news["error"])
    return news["views"]


async def _wait(wake: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(wake.wait(), seconds)


def _call_soon(loop: asyncio.AbstractEventLoop, callback: Callable[[], object]) -> None:
    """From a run's thread into the event loop, which may be gone when the server shuts down."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(callback)
