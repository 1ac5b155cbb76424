"""The question bank: what people ask, which sentences of the topics answer it, and how to say it.

    python -m training.tutor.bank [FILE ...]

checks the bank (or the files named) and says what is wrong, line by line. One example is one line
of JSON in `bank/TOPIC.jsonl`:

    {"kind": "how", "turns": ["how does a gan work"], "support": ["The generator starts", "The discriminator is the judge"],
     "answer": "The generator turns random numbers into something like a picture. The discriminator is the judge."}

turns: what the visitor types; the last one is the question, those before it set the scene.
In files `own-N.jsonl` are the topics' own questions.
support: the sentences that answer, in the order to say them, each by its first words; of another
topic as "slug: first words". Empty when the topics do not answer: then the tutor has to decline.
answer: the sentences of `support`, shortened but never reworded; left out, they stand as they are.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explainers.grounding import worded_like
from explainers.library import Encode
from explainers.topics import Topic, load_topics, split_sentences

FOLDER = Path(__file__).parent / "bank"
KINDS = frozenset(
    "definition how why comparison which_side which_one example misconception yes_no fact follow_up style half "
    "abstain role".split()
)
UNCOVERED = frozenset({"abstain", "role"})
VERDICTS = frozenset(
    ["Yes.", "No.", "Partly.", "Yes, in part.", "It predicts.", "It creates.", "It does both.", "It does neither."]
)
LONGEST = 90  # words of an answer
OWN = "own-"  # files with the topics' own questions: taught, never measured on
TEST, RANK = 0.05, 0.10  # shares of the bank
LEAK = 0.92  # cosine from which two questions mean nearly the same
MOST = 4  # sentences of an answer, a verdict not counted


@dataclass(frozen=True)
class Example:
    """One line of the bank, with its sentences found: (topic, sentence), in the order to say them."""

    kind: str
    topic: str
    turns: tuple[str, ...]
    support: tuple[tuple[str, str], ...]
    answer: str

    @property
    def question(self) -> str:
        return self.turns[-1]

    def asked(self, topics: Mapping[str, Topic]) -> str:
        """The question as the search reads it: one that leans on earlier turns comes with its topic's title."""
        if len(self.turns) == 1 or not self.support:
            return self.question
        return f"{topics[self.support[0][0]].title}: {self.question}"


def read_bank(topics: Mapping[str, Topic], folder: Path = FOLDER) -> list[Example]:
    """Every example. Raises ValueError for the first line that is wrong."""
    found: list[Example] = []
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            example, *problems = read_line(line, path.stem, topics)
            if problems:
                raise ValueError(f"{path.name}:{number}: {problems[0]}")
            found.append(example)
    return found


def split(examples: Sequence[Example], topics: Mapping[str, Topic], encode: Encode) -> dict[str, list[Example]]:
    """`train`, `rank` and `test`, by a hash of the question: the encoder learns on the first, the ranking on the second.

    Every example of `train` and `rank` that means nearly the same as one of `test` is left out, and
    so is one of `train` near to one of `rank`: no part is measured on what another was taught.
    """
    parts: dict[str, list[Example]] = {"train": [], "rank": [], "test": []}
    for example in examples:
        share = hashlib.sha256(" / ".join(example.turns).encode()).digest()[0] / 256
        share = 1.0 if example.topic.startswith(OWN) else share
        parts["test" if share < TEST else "rank" if share < TEST + RANK else "train"].append(example)
    for part, others in (("rank", ("test",)), ("train", ("test", "rank"))):
        kept_out = encode([one.asked(topics) for other in others for one in parts[other]])
        near = (encode([one.asked(topics) for one in parts[part]]) @ kept_out.T).max(1)
        parts[part] = [one for one, likeness in zip(parts[part], near, strict=True) if likeness < LEAK]
    return parts


def read_line(line: str, topic: str, topics: Mapping[str, Topic]) -> list[Any]:
    """The example of a line, then what is wrong with it; None first if it cannot be read at all."""
    try:
        given = json.loads(line)
        kind, turns = given["kind"], tuple(given["turns"])
        names = given.get("support", [])
    except (ValueError, KeyError, TypeError) as problem:
        return [None, f"not an example ({problem!r})"]
    problems = [f"unknown key {key!r}" for key in set(given) - {"kind", "turns", "support", "answer"}]
    if kind not in KINDS:
        problems.append(f"unknown kind {kind!r}")
    if not turns or not all(isinstance(turn, str) and turn.strip() for turn in turns):
        problems.append("`turns` has to hold what the visitor types")
    support = []
    for name in names:
        found = find(name, topic, topics)
        support += found[:1]
        if len(found) != 1:
            problems.append(f"{len(found)} sentences begin with {name!r}")
    if bool(names) == (kind in UNCOVERED):
        problems.append(f"{kind} {'takes no' if names else 'needs'} support")
    answer = given.get("answer") or " ".join(sentence for _, sentence in support)
    example = Example(kind, topic, turns, tuple(support), answer)
    return [example, *problems, *_problems_of(example)]


def find(name: str, topic: str, topics: Mapping[str, Topic]) -> list[tuple[str, str]]:
    """The sentences (topic, sentence) that begin with `name`; "slug: first words" for another topic."""
    other = re.match(r"([a-z-]+): (.+)", name)
    slug, start = (other[1], other[2]) if other and other[1] in topics else (topic, name)
    if slug not in topics:
        return []
    sentences = dict.fromkeys(s for passage in topics[slug].passages for s in passage.sentences)
    exact = [(slug, s) for s in sentences if s == start]
    return exact or [(slug, s) for s in sentences if s.startswith(start)]


def _problems_of(example: Example) -> Iterator[str]:
    """Is every sentence of the answer a shortened sentence of the support, and is it short?"""
    if not example.support:
        return
    sentences = split_sentences(example.answer)
    sentences = sentences[1:] if sentences[0] in VERDICTS else sentences
    if not 1 <= len(sentences) <= MOST:
        yield f"the answer has {len(sentences)} sentences; 1 to {MOST} are allowed"
    if (words := len(example.answer.split())) > LONGEST:
        yield f"the answer has {words} words; at most {LONGEST} are allowed"
    for sentence in sentences:
        reasons = [worded_like(sentence, source) for _, source in example.support]
        if all(reasons):
            yield f"{min(reasons, key=len)}: {sentence!r}"
    for _, source in example.support:
        if all(worded_like(sentence, source) for sentence in sentences):
            yield f"the answer says nothing of {source!r}"


def check(paths: Sequence[Path]) -> int:
    """Print what is wrong, and how many examples of each kind there are; the number of problems."""
    topics, kinds, seen, wrong = load_topics(), Counter(), {}, 0
    known = {q.lower(): slug for slug, topic in topics.items() for q in topic.questions}
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            example, *problems = read_line(line, path.stem, topics)
            if example:
                kinds[example.kind] += 1
                asked = " / ".join(example.turns).lower()
                if asked in known and not path.name.startswith(OWN):
                    problems.append(f"stands in the topic {known[asked]}")
                if asked in seen:
                    problems.append(f"stands in {seen[asked]} too")
                seen[asked] = f"{path.name}:{number}"
            wrong += len(problems)
            for problem in problems:
                print(f"{path.name}:{number}: {problem}")
    print(f"{sum(kinds.values())} examples, {wrong} problems;", ", ".join(f"{k} {n}" for k, n in kinds.most_common()))
    return wrong


if __name__ == "__main__":
    named = [Path(name) for name in sys.argv[1:]]
    sys.exit(bool(check(named or sorted(FOLDER.glob("*.jsonl")))))
