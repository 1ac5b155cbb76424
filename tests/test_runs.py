"""Runs: turns, limits, stopping, deadlines, and what a page is told."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from demos.base import Demo, DemoError, Note, Slider, View
from interface.runs import STUMBLED, Gate, Reply, Run, replies, result


def demo(run: Callable[..., Iterator[View]], needs: tuple[str, ...] = ()) -> Demo:
    """A demo with one number as input."""
    one = Slider(name="number", label="Number", minimum=0, maximum=10)
    rest = {"title": "Test", "side": "both", "topic": "test", "summary": "For this test."}
    return Demo(slug="test", run=run, inputs=(one,), needs=needs, **rest)


def count(number: int) -> Iterator[View]:
    """A thousand views under two keys, then a last one."""
    for i in range(1000):
        yield Note(f"{number}: {i}", key=f"note {i % 2}")
    yield Note("over", key="end")


def make(run: Callable[..., Iterator[View]] = count, inputs: Any = None, **more: Any) -> Run:
    """A run with a gate of its own unless `more` brings one."""
    parts = {"needs": (), "resources": {}, "gate": Gate(), **more}
    needs = parts.pop("needs")
    return Run(demo(run, needs), {} if inputs is None else inputs, **parts)


def told(run: Run, **more: Any) -> list[Reply]:
    """Every reply to a page."""

    async def collect() -> list[Reply]:
        return [reply async for reply in replies(run, "r1", **more)]

    return asyncio.run(collect())


def test_a_flood_of_views_becomes_few_replies_and_the_last_view_always_arrives() -> None:
    heard = told(make(inputs={"number": 7}))
    assert len(heard) <= 5
    assert [reply["k"] for reply in heard] == list(range(len(heard)))
    assert {reply["rid"] for reply in heard} == {"r1"}
    shown = {view["key"]: view["text"] for reply in heard for view in reply["views"]}
    assert shown == {"note 0": "7: 998", "note 1": "7: 999", "end": "over"}
    assert (heard[-1]["state"], heard[-1]["error"]) == ("done", "")


def test_every_reply_can_hold_all_views() -> None:
    assert len(told(make(), everything=True)[-1]["views"]) == 3


def test_at_most_twenty_replies_a_second() -> None:
    def slowly(number: int) -> Iterator[View]:
        for i in range(100):
            time.sleep(0.005)
            yield Note(str(i), key="note")

    began = time.monotonic()
    heard = told(make(slowly))
    assert len(heard) <= 2 + (time.monotonic() - began) * 20


def test_wrong_input_is_told_in_its_own_words() -> None:
    heard = told(make(inputs={"number": 11}))
    assert heard[-1]["error"] == "Number is 11; it has to be a number from 0 to 10."
    with pytest.raises(DemoError, match="no input of test"):
        result(make(inputs={"other": 1}))


def test_a_stumble_is_logged_but_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    def stumble(number: int) -> Iterator[View]:
        yield Note("so far")
        raise RuntimeError("secret")

    with caplog.at_level(logging.ERROR):
        heard = told(make(stumble))
    assert heard[-1]["error"] == STUMBLED
    assert [view["text"] for reply in heard for view in reply["views"]] == ["so far"]
    assert "secret" in caplog.text and "secret" not in str(heard)


def test_a_missing_resource_is_a_stumble_too() -> None:
    assert told(make(needs=("language_model",)))[-1]["error"] == STUMBLED


def test_closing_the_replies_closes_the_demo() -> None:
    closed = threading.Event()

    def forever(number: int) -> Iterator[View]:
        try:
            while True:
                time.sleep(0.01)
                yield Note("on and on")
        finally:
            closed.set()

    async def leave() -> None:
        stream = replies(make(forever), "r1")
        async for reply in stream:
            if reply["views"]:
                break
        await stream.aclose()

    asyncio.run(leave())
    assert closed.wait(2)


def test_a_stop_is_told_at_once_even_in_a_long_step() -> None:
    go_on = threading.Event()

    def stuck(number: int) -> Iterator[View]:
        go_on.wait(5)
        yield Note("late")

    run = make(stuck)
    threading.Timer(0.2, run.stop).start()
    began = time.monotonic()
    assert told(run)[-1]["views"] == []
    assert time.monotonic() - began < 2
    go_on.set()


def test_a_run_past_its_deadline_ends_with_advice() -> None:
    def slowly(number: int) -> Iterator[View]:
        while True:
            time.sleep(0.02)
            yield Note("still at it")

    heard = told(make(slowly, deadline=0.2))
    assert heard[-1]["error"].startswith("This took more than 0.2 seconds")


def test_waiting_for_a_resource_does_not_count_as_running() -> None:
    ready = {"language_model": lambda: time.sleep(0.3) or "model"}

    def use(number: int, language_model: str) -> Iterator[View]:
        yield Note(language_model)

    heard = told(make(use, needs=("language_model",), resources=ready, deadline=0.2))
    assert heard[0]["state"] == "loading"
    assert heard[-1]["views"][0]["text"] == "model"


# ------------------------------------------------------------------------------- gate


def hold(gate: Gate, visitor: str, order: list[str], go: threading.Event) -> threading.Thread:
    """A thread that takes a turn, notes that it had it, and holds it until `go`."""

    def work() -> None:
        with gate.turn(visitor, lambda: False):
            order.append(visitor)
            go.wait(5)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    time.sleep(0.03)
    return thread


def test_one_visitor_never_makes_another_wait_for_all_their_runs() -> None:
    gate, order = Gate(limit=2), []
    first, second, rest = threading.Event(), threading.Event(), threading.Event()
    rest.set()
    threads = [hold(gate, "many", order, go) for go in (first, second, rest, rest)]
    threads.append(hold(gate, "one", order, rest))
    first.set()
    threads[-1].join(5)
    second.set()
    for thread in threads:
        thread.join(5)
    assert order == ["many", "many", "one", "many", "many"]


def test_a_visitor_and_all_visitors_may_have_only_so_many_runs_in_hand() -> None:
    gate = Gate(each=2, total=3)
    gate.enter("a")
    gate.enter("a")
    with pytest.raises(DemoError, match="You have 2 demos running"):
        gate.enter("a")
    gate.enter("b")
    with pytest.raises(DemoError, match="Many people"):
        gate.enter("c")
    gate.leave("a")
    gate.enter("c")


def test_a_refused_run_is_told_why() -> None:
    assert "You have 0 demos" in told(make(gate=Gate(each=0)))[0]["error"]


def test_who_stops_waiting_gets_no_turn() -> None:
    gate = Gate(limit=0)
    with gate.turn("a", lambda: True) as has_turn:
        assert not has_turn
