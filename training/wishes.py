"""Learn which messages wish for a demo, and which of their words are its input.

    python -m training.wishes

Reads training/wishes.jsonl, and the question bank for what is no wish; writes
weights/wishes/wishes.json and prints, over five folds, how often the demo and the input are right, and
how many of the bank's questions would wrongly open a demo.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from explainers.topics import load_topics
from explainers.wishes import LIKELY, NOTHING, SURE, WEIGHTS, Wishes, grams, word_features
from training.tutor.bank import read_bank

DATA = Path(__file__).with_name("wishes.jsonl")
SEED, FOLDS, SWAPS = 0, 5, 4  # other inputs that each wish is seen with
LEAST = 0.1  # smaller weights are left out
DEMOS = (NOTHING, "image_generation", "sentiment", "text_generation")


@dataclass(frozen=True)
class Wish:
    """A message, the demo it wishes for (or none), and the part of it that is the input."""

    ask: str
    demo: str
    given: str


def main() -> None:
    rng = random.Random(SEED)
    lines = map(json.loads, DATA.read_text(encoding="utf-8").splitlines())
    wishes = [Wish(one["ask"], one["demo"], one["input"]) for one in lines]
    others = sorted({one.question for one in read_bank(load_topics()) if len(one.turns) == 1})
    rng.shuffle(wishes)
    rng.shuffle(others)
    found: list[tuple[Wish, Wishes]] = []
    for fold in range(FOLDS):
        model = learn([one for i, one in enumerate(wishes) if i % FOLDS != fold], others[len(others) // 4 :], rng)
        found += [(one, model) for i, one in enumerate(wishes) if i % FOLDS == fold]
    report(found, others[: len(others) // 4])
    _write(learn(wishes, others, rng))


def learn(wishes: Sequence[Wish], others: Sequence[str], rng: random.Random) -> Wishes:
    more = [*wishes, *swapped(wishes, rng)]
    names = CountVectorizer(analyzer=grams, binary=True, min_df=2)
    rows = names.fit_transform([*(one.ask for one in more), *others])
    model = LogisticRegression(C=0.3, max_iter=300).fit(rows, [DEMOS.index(one.demo) for one in more] + [0] * len(others))
    weights = zip(names.get_feature_names_out(), model.coef_.T.round(2).tolist(), strict=True)
    spoken = {name: of_class for name, of_class in weights if max(map(abs, of_class)) >= LEAST}
    words = {demo: _word_weights([one for one in more if one.demo == demo and one.given]) for demo in DEMOS[1:]}
    flat = {f"{demo} {name}": value for demo, some in words.items() for name, value in some.items()}
    return Wishes(DEMOS, tuple(model.intercept_.round(2).tolist()), spoken, flat)


def swapped(wishes: Sequence[Wish], rng: random.Random) -> list[Wish]:
    """Each wish with inputs of others, so that what is learned is the wish and not its input."""
    given = {demo: [one.given for one in wishes if one.demo == demo and one.given] for demo in DEMOS}
    pairs = [(one, other) for one in wishes if one.given for other in rng.sample(given[one.demo], SWAPS)]
    return [Wish(one.ask.replace(one.given, other), one.demo, other) for one, other in pairs]


def _word_weights(wishes: Sequence[Wish]) -> Mapping[str, float]:
    """What each feature of a word speaks for its being part of the input."""
    rows, labels = [], []
    for one in wishes:
        start = len(one.ask[: one.ask.index(one.given)].split())
        end = len(one.ask[: one.ask.index(one.given) + len(one.given)].split())
        for i, of_word in enumerate(word_features(one.ask)):
            rows.append(dict.fromkeys(of_word, 1.0))
            labels.append(start <= i < end)
    names = DictVectorizer()
    model = LogisticRegression(C=1.0, max_iter=2000).fit(names.fit_transform(rows), labels)
    pairs = zip(names.feature_names_, model.coef_[0].tolist(), strict=True)
    weights = {name: round(value, 2) for name, value in pairs if abs(value) >= 0.1}
    return weights | {"bias": weights.get("bias", 0.0) + round(float(model.intercept_[0]), 2)}


def report(found: Sequence[tuple[Wish, Wishes]], others: Sequence[str]) -> None:
    """On wishes and questions that each model did not see."""
    asked = [(one, model) for one, model in found if one.demo]
    for name, least in (("SURE", SURE), ("LIKELY", LIKELY)):
        right = sum(model.wish(one.ask, least)[0] == one.demo for one, model in asked)
        alike = sum(bool(model.wish(one.ask, least)[0]) for one, model in found if not one.demo)
        opened = sum(bool(found[0][1].wish(one, least)[0]) for one in others)
        print(f"{name}: {right} of {len(asked)} wishes open the right demo; {alike} of {len(found) - len(asked)} questions in "
              f"the same words and {opened} of {len(others)} questions of the bank open one wrongly.")  # fmt: skip
    given = [(one.given, model.given(one.ask, one.demo)) for one, model in asked if one.given]
    print(f"The input is exactly right in {sum(_plain(text) == _plain(right) for right, text in given)} of {len(given)}.")


def _plain(text: str) -> str:
    return text.strip(" .!?\"'“”,;:").lower().removeprefix("a ").removeprefix("an ").removeprefix("the ")


def _write(model: Wishes) -> None:
    WEIGHTS.parent.mkdir(parents=True, exist_ok=True)
    kept = {"demos": model.demos, "bias": model.bias, "grams": model.gram_weights, "words": model.word_weights}
    WEIGHTS.write_text(json.dumps(kept, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
