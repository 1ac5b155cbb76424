"""What does each part of the tutor bring? One table: rows = systems, columns = kinds of question.

    python -m benchmarks.ablation [--cases benchmarks/held_out.yaml] [--every 1] [--write]

The same cases for: the published language model alone; the same with the sentences that our search
finds; our fine-tuned model alone, and with the sentences; the same with every sentence checked and the
unsupported ones left out; and the tutor as it ships. --write puts the table into benchmarks/RESULTS.md.
Seconds are of one question at a time for the tutor, and of four at once for the others, which have
no rules to go through and are only there for comparison.
"""

from __future__ import annotations

import argparse
import datetime
import os
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.answers import Case, Outcome, judge, read_cases
from benchmarks.speed import machine
from explainers.phrasing import DECLINED, READ, messages_for
from explainers.reply import Draft, Reply, Span

HELD_OUT = Path(__file__).with_name("held_out.yaml")
RESULTS = Path(__file__).with_name("RESULTS.md")
START, END = "<!-- ablation -->", "<!-- /ablation -->"


class Plain:
    """A language model that answers by itself, or from what the search finds; no rules around it.

    checked: sentences that no found sentence supports are left out.
    """

    def __init__(self, model: Any, tutor: Any, *, found: bool, checked: bool = False) -> None:
        self._model, self._tutor, self._found, self._checked = model, tutor, found, checked

    def reply(self, question: str, history: Sequence[Mapping[str, str]] = ()) -> Iterator[Draft | Reply]:
        """The model's answer as a Reply; it declines by saying so."""
        from explainers.grounding import Grounding
        from explainers.intent import read_intent
        from explainers.topics import split_sentences

        asked = " ".join([*[one["content"] for one in history if one["role"] == "user"][-1:], question])
        near = self._tutor.ranking.rank(asked, read_intent(question).kind, keep=READ) if self._found else ()
        sentences = [found.text for found in near]
        messages = messages_for(question, sentences)
        messages = [messages[0], *({**one} for one in history), messages[1]]
        tokens = list(self._model.stream(messages, max_tokens=120, alternatives=0))
        answer = "".join(token.text for token in tokens).strip()
        if self._checked:
            grounding = Grounding(sentences)
            kept = [one for one in split_sentences(answer) if one == DECLINED or grounding.check(one).supported]
            answer = " ".join(kept)
        declined = DECLINED.lower() in answer.lower().replace("’", "'") or not answer
        yield Reply(answer, abstained=declined, spans=tuple(Span("", False) for _ in tokens))


def systems(tutor: Any) -> dict[str, tuple[Any, int]]:
    """Each system with how many questions it is asked at once."""
    from assets.quantize import language_model
    from explainers.language_model import LlamaCpp, threads

    raw = LlamaCpp(language_model(adapter=None), threads=threads(os.environ))
    tuned = tutor.language_model
    return {
        "published model, alone": (Plain(raw, tutor, found=False), 4),
        "published model + search": (Plain(raw, tutor, found=True), 4),
        "fine-tuned model, alone": (Plain(tuned, tutor, found=False), 4),
        "fine-tuned model + search": (Plain(tuned, tutor, found=True), 4),
        "the same, every sentence checked": (Plain(tuned, tutor, found=True, checked=True), 4),
        "**the tutor, as it ships**": (tutor, 1),
    }


def measure(system: Any, at_once: int, cases: Sequence[Case]) -> list[Outcome]:
    """Play all cases, in the file's order."""
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda case: _timed(system, case), cases))


def _timed(system: Any, case: Case) -> Outcome:
    import time

    begun = time.perf_counter()
    outcome = judge(system, case)
    if outcome.reply.seconds:
        return outcome
    return replace(outcome, reply=replace(outcome.reply, seconds={"total": time.perf_counter() - begun}))


def head(kinds: Sequence[str], cases: Sequence[Case]) -> str:
    counts = [sum(case.kind == kind for case in cases) for kind in kinds]
    titles = [f"{kind.replace('_', ' ')} ({count})" for kind, count in zip(kinds, counts, strict=True)]
    columns = ["System, percent right", f"all ({len(cases)})", *titles, "s, median"]
    return f"| {' | '.join(columns)} |\n|---|{'--:|' * (len(columns) - 1)}"


def row(name: str, outcomes: Sequence[Outcome], kinds: Sequence[str]) -> str:
    def percent(some: Sequence[Outcome]) -> str:
        return f"{100 * sum(not one.faults for one in some) / len(some):.0f}"

    cells = [percent([one for one in outcomes if one.case.kind == kind]) for kind in kinds]
    seconds = statistics.median(one.reply.seconds["total"] for one in outcomes)
    return f"| {name} | {percent(outcomes)} | {' | '.join(cells)} | {seconds:.2f} |"


def write(text: str) -> None:
    """Put `text` between the marks in RESULTS.md."""
    before = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else f"# Results\n\n{START}\n{END}\n"
    ahead, _, rest = before.partition(START)
    RESULTS.write_text(f"{ahead}{START}\n{text}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=Path, default=HELD_OUT)
    parser.add_argument("--every", type=int, default=1, help="only every N-th case")
    parser.add_argument("--write", action="store_true", help="into benchmarks/RESULTS.md")
    wanted = parser.parse_args()

    import demos
    from app import open_real_tutor

    cases = read_cases(wanted.cases)[:: wanted.every]
    kinds = list(dict.fromkeys(case.kind for case in cases))
    lines = [head(kinds, cases)]
    for name, (system, at_once) in systems(open_real_tutor(demos.load())).items():
        outcomes = measure(system, at_once, cases)
        lines.append(row(name, outcomes, kinds))
        print(lines[-1], flush=True)
    told = f"`python -m benchmarks.ablation`, {datetime.date.today()}, {machine()}; cases: {wanted.cases.name}"
    told += f", every {wanted.every}. one" if wanted.every > 1 else ""
    text = "\n".join(lines) + f"\n\n{told}."
    print(text)
    if wanted.write:
        write(text)
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
