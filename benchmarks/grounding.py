"""Which way to check a sentence is best? Holds six against the labelled cases of grounding.jsonl.

    python -m benchmarks.grounding

A case is a sentence as a small model might write it, the sentences that the model had read, and
whether these support every part of it. What has to be chosen or learned (thresholds, a regression)
comes from the half of the cases that a hash of the sentence picks; every number in the table comes
from the other half. Thresholds maximise F0.5, because a false sentence that gets through costs
more than a true one that is refused. Both halves draw on the same topics and were written by one
hand, so the learned ways look rather better here than they would on what a model really writes.
"""

from __future__ import annotations

import difflib
import hashlib
import itertools
import json
import operator
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explainers.grounding import REACH, Grounding, content_words, numbers_and_names, pairs, stem
from explainers.topics import Topic, load_topics

if TYPE_CHECKING:
    import numpy as np

    from explainers.library import Encode

CASES = Path(__file__).with_name("grounding.jsonl")
BETA = 0.5  # below one, F weighs precision more than recall
STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0)  # of which the regression picks its C
COUNTED = 10  # how many features come before those from the vectors

_WORD = re.compile(r"[a-z][a-z'’-]*|\d[\d.,]*")  # as explainers.grounding cuts them
_DENIALS = frozenset(
    "not no never none neither nor cannot without isn't doesn't can't don't aren't hardly nobody".split()
)
_QUANTIFIERS = frozenset("all always only every each never any everything".split())


@dataclass(frozen=True)
class Case:
    """A sentence, what the model had read before it wrote it, and whether that supports it."""

    topic: str
    source: tuple[str, ...]
    sentence: str
    supported: bool
    kind: str

    @property
    def learned_from(self) -> bool:
        """Is it in the first half? A hash decides, so that a new case moves no other one."""
        return hashlib.sha256(self.sentence.encode()).digest()[0] % 2 == 0


Score = Callable[[Case], float]  # the higher, the surer that the sentence is supported


@dataclass(frozen=True)
class Way:
    """A way to check: a sentence stands if its score reaches the threshold."""

    name: str
    score: Score
    threshold: float

    def lets_through(self, case: Case) -> bool:
        return self.score(case) >= self.threshold


@dataclass(frozen=True)
class Result:
    """What a way decided about the cases, and how long a sentence took it."""

    name: str
    cases: Sequence[Case]
    passed: Sequence[bool]
    milliseconds: float

    @property
    def truths(self) -> list[bool]:
        return [case.supported for case in self.cases]

    @property
    def leaked(self) -> float:
        """The share of the unsupported sentences that the way lets through."""
        through = [
            passed for passed, truth in zip(self.passed, self.truths, strict=True) if not truth
        ]
        return sum(through) / len(through)

    def right(self, kind: str) -> int:
        """How many cases of one kind are judged right."""
        decided = zip(self.cases, self.passed, strict=True)
        return sum(passed == case.supported for case, passed in decided if case.kind == kind)


def read_cases(path: Path = CASES, topics: Mapping[str, Topic] | None = None) -> list[Case]:
    """All cases, their sources in full. Raises ValueError that names the wrong one."""
    topics = topics or load_topics()
    lines = path.read_text(encoding="utf-8").splitlines()
    return [read_case(json.loads(line), topics) for line in lines]


def read_case(given: Mapping[str, Any], topics: Mapping[str, Topic]) -> Case:
    """One case as it stands in the file, where a source is the beginning of a topic's sentence."""
    passages = topics[given["topic"]].passages
    sentences = [text for passage in passages for text in passage.sentences]
    source = tuple(resolved(start, sentences) for start in given["source"])
    return Case(**{**given, "source": source})


def resolved(start: str, sentences: Sequence[str]) -> str:
    """The one sentence that begins with `start`, so that topics can grow and the cases stay."""
    found = [text for text in sentences if text.startswith(start)]
    if len(found) != 1:
        raise ValueError(f"{len(found)} sentences begin with {start!r}. Choose another beginning.")
    return found[0]


def keeping(texts: Sequence[str], encode: Encode) -> Encode:
    """`encode`, but with these texts' vectors made ahead: at work, the library has them as well."""
    import numpy as np

    known = dict(zip(texts, encode(texts), strict=True))

    def embed(wanted: Sequence[str]) -> np.ndarray:
        return np.stack([known[one] if one in known else encode([one])[0] for one in wanted])

    return embed


def words(text: str) -> list[str]:
    """Words and figures in lower case."""
    return [word.strip(".,") for word in _WORD.findall(text.lower())]


def nearness(case: Case, embed: Encode) -> float:
    """Cosine to the nearest sentence that the model read."""
    return float((embed(case.source) @ embed([case.sentence])[0]).max())


def coverage(case: Case) -> float:
    """The share of the sentence's content words that the sources have; 0 if a number or name is new."""
    mine, theirs = content_words(case.sentence), content_words(" ".join(case.source))
    return 0.0 if not mine or foreign(case) else len(mine & theirs) / len(mine)


def foreign(case: Case) -> set[str]:
    """Numbers and names that the sources lack: no wording can make them right."""
    return numbers_and_names(case.sentence) - set(words(" ".join(case.source)))


def denies(text: str) -> bool:
    """Is the number of denials odd? Two of them cancel out."""
    return sum(word in _DENIALS for word in words(text)) % 2 == 1


def features(case: Case, embed: Encode) -> list[float]:
    """The sentence beside the source sentence nearest to it; the first two are what the rules look at."""
    import numpy as np

    sources, mine = embed(case.source), embed([case.sentence])[0]
    cosines = sources @ mine
    best = int(cosines.argmax())
    rules = [len(foreign(case)), denies(case.sentence) != denies(case.source[best])]
    plain = [*np.sort(cosines)[-2:], *wording(case.sentence, case.source[best]), coverage(case)]
    return [*rules, *plain, *np.abs(mine - sources[best]), *(mine * sources[best])]


def wording(sentence: str, source: str) -> list[float]:
    """How two sentences' words compare: shared both ways, in order, neighbours kept, quantifiers added."""
    mine, theirs = content_words(sentence), content_words(source)
    shared = len(mine & theirs)
    near = pairs(sentence)
    kept = len(near & pairs(source, REACH)) / max(1, len(near))
    stems = [stem(word) for word in words(sentence)], [stem(word) for word in words(source)]
    order = difflib.SequenceMatcher(None, *stems, autojunk=False).ratio()
    added = len((set(words(sentence)) - set(words(source))) & _QUANTIFIERS)
    return [shared / max(1, len(mine)), shared / max(1, len(theirs)), kept, order, added]


def f_score(truths: Sequence[bool], passed: Sequence[bool]) -> float:
    """F0.5 of "supported"; by hand, because the search for thresholds asks thousands of times."""
    right = sum(map(operator.and_, truths, passed))
    return (1 + BETA**2) * right / (BETA**2 * sum(truths) + sum(passed) or 1)


def best_threshold(scores: Sequence[float], truths: Sequence[bool]) -> float:
    """The score from which on sentences should stand; of two equally good ones, the stricter."""
    return max(set(scores), key=lambda cut: (f_score(truths, [s >= cut for s in scores]), cut))


def tuned(name: str, score: Score, cases: Sequence[Case]) -> Way:
    """A way with the threshold that is best on `cases`."""
    return Way(
        name, score, best_threshold([score(case) for case in cases], [c.supported for c in cases])
    )


def together(name: str, one: Score, other: Score, cases: Sequence[Case]) -> Way:
    """Each score has to reach a threshold of its own: the pair of thresholds that is best on `cases`."""
    firsts, seconds = [one(case) for case in cases], [other(case) for case in cases]
    truths = [case.supported for case in cases]

    def quality(cuts: tuple[float, float]) -> float:
        passed = [a >= cuts[0] and b >= cuts[1] for a, b in zip(firsts, seconds, strict=True)]
        return f_score(truths, passed)

    grid = itertools.product(sorted(set(firsts)), sorted(set(seconds)))
    first, second = max(grid, key=quality)
    return Way(name, lambda case: float(one(case) >= first and other(case) >= second), 1.0)


def learned(name: str, embed: Encode, cases: Sequence[Case], *, rules: bool) -> Way:
    """A logistic regression; its threshold comes from folds that it did not see, or it would be lax."""
    from sklearn.model_selection import cross_val_predict

    rows, truths = [features(case, embed) for case in cases], [case.supported for case in cases]
    model = regression()
    chances = cross_val_predict(model, rows, truths, cv=5, method="predict_proba")[:, 1]
    scores = [ruled(p, row) if rules else float(p) for p, row in zip(chances, rows, strict=True)]
    model.fit(rows, truths)

    def score(case: Case) -> float:
        row = features(case, embed)
        chance = float(model.predict_proba([row])[0, 1])
        return ruled(chance, row) if rules else chance

    return Way(name, score, best_threshold(scores, truths))


def ruled(chance: float, row: Sequence[float]) -> float:
    """The chance, or none if there is a new number or name, or only one of the two sentences denies."""
    return 0.0 if row[0] or row[1] else float(chance)


def regression() -> Any:
    """Counts on one scale, the vectors' features on their own small one; it picks its strength by folds."""
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    scale = ColumnTransformer(
        [("scale", StandardScaler(), slice(COUNTED))], remainder="passthrough"
    )
    return make_pipeline(
        scale,
        LogisticRegressionCV(Cs=list(STRENGTHS), cv=5, max_iter=1000, scoring="neg_log_loss",
                             l1_ratios=(0,), use_legacy_attributes=False),
    )  # fmt: skip


def ways(embed: Encode, cases: Sequence[Case]) -> list[Way]:
    """Everything that is compared; `cases` are those to learn from. What ships is the fourth."""

    def near(case: Case) -> float:
        return nearness(case, embed)

    def ships(case: Case) -> float:
        return float(Grounding(case.source).check(case.sentence).supported)

    return [
        tuned("(a) nearest cosine", near, cases),
        tuned("(b) words, numbers, names", coverage, cases),
        together("(c) both, (a) and (b)", coverage, near, cases),
        Way("(d) what ships", ships, 1.0),
        learned("(e) logistic regression", embed, cases, rules=False),
        learned("(f) (e) and rules", embed, cases, rules=True),
    ]


def measure(way: Way, cases: Sequence[Case]) -> Result:
    """Judge one sentence after the other, as the tutor does."""
    start = time.perf_counter()
    passed = [way.lets_through(case) for case in cases]
    spent = time.perf_counter() - start
    return Result(way.name, cases, passed, 1000 * spent / len(cases))


def table(results: Sequence[Result]) -> str:
    """All ways, in Markdown."""
    head = "| Way | Precision | Recall | Unsupported let through | ms a sentence |"
    return "\n".join([head, "|---|" + "--:|" * 4, *(row(result) for result in results)])


def row(result: Result) -> str:
    """One line of the table."""
    from sklearn.metrics import precision_score, recall_score

    precision = precision_score(result.truths, result.passed, zero_division=0)
    recall = recall_score(result.truths, result.passed)
    shares = f"{100 * precision:.0f}% | {100 * recall:.0f}% | {100 * result.leaked:.0f}%"
    return f"| {result.name} | {shares} | {result.milliseconds:.1f} |"


def by_kind(ships: Result, rival: Result) -> str:
    """How many cases of each kind two ways judge right, one line a kind."""
    kinds = {case.kind: case.supported for case in ships.cases}
    lines = [f"Judged right, by kind: {ships.name}; {rival.name}; of"]
    for kind in sorted(kinds, key=lambda kind: (not kinds[kind], kind)):
        total = sum(case.kind == kind for case in ships.cases)
        label = "supported" if kinds[kind] else "unsupported"
        lines.append(f"- {kind} ({label}): {ships.right(kind)}; {rival.right(kind)}; of {total}")
    return "\n".join(lines)


def main() -> None:
    """Learn from one half, measure on the other, print."""
    import assets
    from explainers.library import open_encoder

    cases = read_cases()
    texts = list(dict.fromkeys(text for case in cases for text in case.source))
    embed = keeping(texts, open_encoder(assets.path("minilm")))
    learn, held = ([c for c in cases if c.learned_from is side] for side in (True, False))
    results = [measure(way, held) for way in ways(embed, learn)]
    ships = results.pop(3)
    rival = max(results, key=lambda result: f_score(result.truths, result.passed))
    results.insert(3, ships)
    print(f"{len(learn)} cases to learn from, {len(held)} to measure with\n")
    print(table(results), by_kind(ships, rival), sep="\n\n")


if __name__ == "__main__":
    main()
