"""Which demo a message wishes to see, and with what: for the wishes that no phrase of a demo foresees.

Two small linear models over words, trained by `python -m training.wishes`: one says which demo is wished for,
if any; the other says of each word how likely it belongs to the input ("draw me *a sleepy cat* please"), and
the stretch of words with the highest sum is the input (Kadane's algorithm, in Bentley, 1984).
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

WEIGHTS = Path(__file__).parents[1] / "weights" / "wishes" / "wishes.json"
NOTHING = ""  # the first of the classes: a question to be answered
SURE = 0.7  # probability from which a demo opens, whatever the library has to say
LIKELY = 0.2  # enough where the library has nothing to say


@dataclass(frozen=True)
class Wishes:
    """demos: the classes. bias, and gram_weights by word or pair of words: one number for each class.

    word_weights: by demo and feature of a word, what it speaks for the word being input.
    """

    demos: tuple[str, ...]
    bias: tuple[float, ...]
    gram_weights: Mapping[str, Sequence[float]]
    word_weights: Mapping[str, float]

    def wish(self, message: str, least: float) -> tuple[str, str]:
        """The demo's slug and the input, which may be empty; two empty strings below the probability `least`."""
        likely = self.likely(message)
        best = max(range(1, len(self.demos)), key=likely.__getitem__)
        if 1 - likely[0] < least:
            return NOTHING, ""
        return self.demos[best], self.given(message, self.demos[best])

    def likely(self, message: str) -> list[float]:
        """The probability of each class."""
        known = [self.gram_weights[gram] for gram in set(grams(message)) if gram in self.gram_weights]
        scores = [sum(column) for column in zip(self.bias, *known, strict=True)]
        shares = [math.exp(score - max(scores)) for score in scores]
        return [share / sum(shares) for share in shares]

    def given(self, message: str, demo: str) -> str:
        """The stretch of words that is the demo's input; empty if none is likely."""
        words = list(re.finditer(r"\S+", message))
        scores = [sum(self.word_weights.get(f"{demo} {one}", 0.0) for one in of_word) for of_word in word_features(message)]
        start, end = best_stretch(scores)
        return message[words[start].start() : words[end - 1].end()].strip(" \"'“”‘’,;:-–") if end > start else ""


def grams(message: str) -> list[str]:
    """Words, marks, and pairs of neighbours; ^ and $ stand for the beginning and the end."""
    words = ["^", *re.findall(r"\w+|[:?!\"]", message.lower()), "$"]
    return [*words[1:-1], *(f"{one} {other}" for one, other in itertools.pairwise(words))]


def word_features(message: str) -> Iterator[list[str]]:
    """For each word what is known of it: itself, its neighbours, marks around it, quotation marks, its place."""
    words = message.split()
    plain = ["^", "^", *(re.sub(r"\W", "", word.lower()) or word for word in words), "$", "$"]
    quoted, after_mark = False, False
    no_mark = not re.search(r"[:?.!\"“-]", message)
    for i, word in enumerate(words):
        quoted = quoted or bool(re.match(r"[\"“„'‘«]", word))
        before = words[i - 1][-1] if i and not words[i - 1][-1].isalnum() else ""
        after_mark = after_mark or before in (":", "-", "–", "?", ".", "!")
        found = ["bias", f"is {plain[i + 2]}", f"-1 {plain[i + 1]}", f"-2 {plain[i]}", f"+1 {plain[i + 3]}", f"+2 {plain[i + 4]}"]
        found += [f"-1 {plain[i + 1]} is {plain[i + 2]}", f"before {before}"]
        found += [f"place {min(i, 6)}", f"left {min(len(words) - i, 6)}"]
        found += ["quoted"] * quoted + ["after"] * after_mark + ["all"] * no_mark
        found += ["capital"] * (word[:1].isupper() and i > 0) + ["asks"] * word.endswith("?")
        yield found
        quoted = quoted and not re.search(r"[\"”'’»][.,!?]?$", word)


def best_stretch(scores: Sequence[float]) -> tuple[int, int]:
    """Where the highest sum of neighbours starts and ends; (0, 0) if nothing is above zero."""
    best, start, total, found = 0.0, 0, 0.0, (0, 0)
    for end, score in enumerate(scores, 1):
        if total <= 0:
            start, total = end - 1, 0.0
        total += score
        if total > best:
            best, found = total, (start, end)
    return found


def open_wishes() -> Wishes:
    kept = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return Wishes(tuple(kept["demos"]), tuple(kept["bias"]), kept["grams"], kept["words"])
