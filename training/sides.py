"""Learn to guess the side of an everyday thing that stands in no list.

    python -m training.sides

After training/encoder.py. A logistic regression on the trained encoder's vectors of the bank's
questions about everyday things, of those things' names, of the 1,600 things of things.tsv, bare and in
a question, and of the 900 goals of goals.tsv; writes weights/encoder/sides.safetensors and prints how
often the side of a thing in the bank's part `test`, and of a goal, is right, by how sure it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression

import assets
from explainers.library import Encode, open_encoders
from explainers.ranking import GROUPS, SIDES
from explainers.topics import Passage, load_topics
from training.tutor.bank import Example, read_bank, split

THINGS, GOALS = (Path(__file__).parent / "tutor" / f"{name}.tsv" for name in ("things", "goals"))
FRAMES = ("Is {} ML or generative AI?", "{}: predict or create?", "is {} generative AI", "does {} use AI at all?",
          "which side is {} on?", "{}, is that gen AI?", "what kind of AI is behind {}?")  # fmt: skip
STRENGTH = 10.0  # C, by the part `rank`


def main() -> None:
    topics = load_topics()
    plain, trained = open_encoders(assets.path("minilm"))
    parts = split([one for one in read_bank(topics) if one.support], topics, plain)
    items = {text: passage for topic in topics.values() for passage in topic.passages if passage.names
             for text in passage.sentences}  # fmt: skip
    asked = {name: pairs(part, items) for name, part in parts.items()}
    names = [(name, passage.side) for passage in items.values() for name in passage.names]
    taught = asked["train"] + asked["rank"] + names + read_things()
    goals, measured = read_goals(), asked["test"]
    for name, more, held in (("things", goals, measured), ("goals", goals[len(goals) // 5 :], goals[: len(goals) // 5])):
        model = learn(trained, taught + more)
        print(f"{len(held)} {name}:")
        report(model, trained([text for text, _ in held]), [GROUPS.index(side) for _, side in held])
    model = learn(trained, taught + goals)
    numbers = {"weights": model.coef_.T, "bias": model.intercept_}
    save_file({name: np.ascontiguousarray(value, np.float32) for name, value in numbers.items()}, SIDES)


def learn(encode: Encode, taught: Sequence[tuple[str, str]]) -> LogisticRegression:
    model = LogisticRegression(C=STRENGTH, max_iter=2000, class_weight="balanced")
    return model.fit(encode([text for text, _ in taught]), [GROUPS.index(side) for _, side in taught])


def read_goals(path: Path = GOALS) -> list[tuple[str, str]]:
    """What people want to reach, in the words in which they ask for the right kind of AI, with its side; shuffled."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    return [(rows[i][1], rows[i][0]) for i in np.random.default_rng(0).permutation(len(rows))]


def pairs(examples: Sequence[Example], items: Mapping[str, Passage]) -> list[tuple[str, str]]:
    """Questions about everyday things with those things' sides."""
    return [(one.question, items[one.support[0][1]].side) for one in examples
            if one.support[0][1] in items and len(one.turns) == 1]  # fmt: skip


def read_things(path: Path = THINGS) -> list[tuple[str, str]]:
    """Things that stand in no topic, each bare and in a question, with their sides."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    framed = [(FRAMES[i % len(FRAMES)].format(thing), side) for i, (side, thing) in enumerate(rows)]
    return framed + [(thing, side) for side, thing in rows]


def report(model: LogisticRegression, vectors: np.ndarray, sides: Sequence[int]) -> None:
    share = model.predict_proba(vectors)
    right = share.argmax(1) == np.array(sides)
    print("| at least so sure | of the questions | right |\n|---|--:|--:|")
    for least in (0.0, 0.4, 0.5, 0.55, 0.6, 0.7, 0.8):
        sure = share.max(1) >= least
        print(f"| {least} | {sure.mean():.0%} | {right[sure].mean():.0%} |")


if __name__ == "__main__":
    main()
