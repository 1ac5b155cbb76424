"""How good are the answers? Plays every case of answers.yaml and checks the last answer.

    python -m benchmarks.answers [--cases FILE] [--kind abstain] [--show-failures] [--out answers.jsonl]

A case is right when every `must` pattern stands in the answer, no `must_not` pattern does, it
declined or answered as it should, and the right demo opened with the right inputs. Patterns are
coarse: a right case can still be clumsy, so read the answers (--out) as well. The order is fixed
and the tutor decodes greedily, so two runs on one machine give the same answers.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from explainers.reply import Draft, Reply

CASES = Path(__file__).with_name("answers.yaml")
FLAGS = re.IGNORECASE | re.DOTALL


class Tutor(Protocol):
    """What is measured."""

    def reply(self, question: str, history: list[dict[str, str]]) -> Iterator[Draft | Reply]: ...


@dataclass(frozen=True)
class Case:
    """What a visitor types, and what the answer to the last turn has to be like.

    abstain: True, has to decline; False, has to answer; None, both are right.
    demo: the slug that has to open; None, not looked at. inputs: its inputs' patterns by name.
    """

    id: str
    kind: str
    turns: tuple[str, ...]
    must: tuple[str, ...] = ()
    must_not: tuple[str, ...] = ()
    abstain: bool | None = False
    demo: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """A case, what the tutor said, and what is wrong with it (nothing, when it is right)."""

    case: Case
    reply: Reply
    faults: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """One line for --out."""
        asked = {"id": self.case.id, "kind": self.case.kind, "turns": self.case.turns}
        return {**asked, "faults": self.faults, "reply": self.reply.to_json()}


def read_cases(path: Path = CASES) -> list[Case]:
    """All cases, in the file's order. Raises ValueError that names the wrong one."""
    import yaml

    cases = [read_case(given) for given in yaml.safe_load(path.read_text(encoding="utf-8"))]
    twice = [name for name, times in Counter(case.id for case in cases).items() if times > 1]
    if twice:
        raise ValueError(f"{path.name}: two cases are called {twice[0]!r}. Rename one.")
    return cases


def read_case(given: Mapping[str, Any]) -> Case:
    """One case as it stands in the file."""
    demo = given.get("demo")
    demo = demo if isinstance(demo, dict) else {"slug": demo}
    lists = {key: tuple(given.get(key) or ()) for key in ("turns", "must", "must_not")}
    try:
        case = Case(**{**given, **lists, "demo": demo["slug"], "inputs": demo.get("inputs", {})})
        for pattern in (*case.must, *case.must_not, *case.inputs.values()):
            re.compile(pattern)
    except (TypeError, KeyError, re.error) as problem:
        raise ValueError(f"case {given.get('id')!r} is not well formed: {problem}") from None
    return case


def play(tutor: Tutor, case: Case) -> Reply:
    """Ask the turns one after the other; the reply to the last one."""
    history: list[dict[str, str]] = []
    for question in case.turns:
        *_, reply = tutor.reply(question, history)
        history += [
            {"role": "user", "content": question},
            {"role": "assistant", "content": reply.answer},
        ]
    return reply


def faults(case: Case, reply: Reply) -> Iterator[str]:
    """What is wrong with `reply`, one phrase each."""
    declined = reply.abstained
    if case.abstain is not None and declined is not case.abstain:
        yield "answers, but has to decline" if case.abstain else "declines, but has to answer"
    for pattern in () if case.abstain is None and declined else case.must:
        if not re.search(pattern, reply.answer, FLAGS):
            yield f"lacks /{pattern}/"
    for pattern in case.must_not:
        if re.search(pattern, reply.answer, FLAGS):
            yield f"says /{pattern}/"
    if case.demo:
        yield from demo_faults(case, reply)


def demo_faults(case: Case, reply: Reply) -> Iterator[str]:
    """Whether the demo that the case wants is there, with the inputs that it wants."""
    if reply.demo is None or reply.demo.slug != case.demo:
        yield f"opens {reply.demo.slug if reply.demo else 'no demo'}, not {case.demo}"
        return
    for name, pattern in case.inputs.items():
        given = str(reply.demo.inputs.get(name, ""))
        if not re.search(pattern, given, FLAGS):
            yield f"opens {case.demo} with {name} {given!r}, not /{pattern}/"


def judge(tutor: Tutor, case: Case) -> Outcome:
    """Play a case and look at the answer."""
    reply = play(tutor, case)
    return Outcome(case, reply, tuple(faults(case, reply)))


def table(outcomes: Iterable[Outcome]) -> str:
    """Right answers and seconds by kind, in Markdown."""
    kinds: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        kinds.setdefault(outcome.case.kind, []).append(outcome)
    rows = [row(kind, members) for kind, members in kinds.items()]
    everything = row("**all**", [one for members in kinds.values() for one in members])
    head = ["| Kind | Right | Cases | Percent | Seconds, median | slowest |", "|---|" + "--:|" * 5]
    return "\n".join([*head, *rows, everything])


def row(kind: str, members: list[Outcome]) -> str:
    """One line of the table."""
    right = sum(not one.faults for one in members)
    seconds = [one.reply.seconds.get("total", 0.0) for one in members]
    counts = f"{right} | {len(members)} | {100 * right / len(members):.0f}"
    return f"| {kind} | {counts} | {statistics.median(seconds):.2f} | {max(seconds):.2f} |"


def failures(outcomes: Iterable[Outcome], *, answers: bool) -> str:
    """The cases that went wrong: why, and, if wanted, what was asked and said."""
    lines = []
    for one in outcomes:
        if one.faults:
            lines.append(f"- {one.case.id}: {'; '.join(one.faults)}")
        if one.faults and answers:
            lines.append(f"    Q: {' / '.join(one.case.turns)}\n    A: {one.reply.answer}")
    return "\n".join(lines)


def main() -> int:
    """Measure, print, and write the answers where --out says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=Path, default=CASES, help="other cases, such as held_out.yaml")
    parser.add_argument("--kind", help="only the cases of this kind")
    parser.add_argument("--out", type=Path, help="write every answer here, as JSON lines")
    parser.add_argument("--show-failures", action="store_true", help="with questions and answers")
    wanted = parser.parse_args()
    cases = [case for case in read_cases(wanted.cases) if wanted.kind in (None, case.kind)]
    if not cases:
        kinds = ", ".join(sorted({case.kind for case in read_cases(wanted.cases)}))
        parser.error(f"there is no kind {wanted.kind!r}; there is: {kinds}")

    import demos
    from app import open_real_tutor

    tutor, outcomes = open_real_tutor(demos.load()), []
    for number, case in enumerate(cases, 1):
        outcomes.append(judge(tutor, case))
        print(f"\r{number} of {len(cases)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print(table(outcomes), failures(outcomes, answers=wanted.show_failures), sep="\n\n")
    if wanted.out:
        lines = [json.dumps(one.to_json(), ensure_ascii=False) for one in outcomes]
        wanted.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # an answer that was cut short may still run in llama.cpp; do not wait for it
