"""Is a sentence supported by the passages? Meaning, words, numbers and names all have to agree.

Embedding similarity alone lets a wrong name or a swapped number through; word overlap alone lets
a denial through. So a sentence stands only if it passes every check against the passages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from explainers.library import Encode

MEANING = 0.75  # least cosine between the sentence and the nearest sentence of the passages
WORDS = 0.8  # least share of the sentence's content words that stand in the nearest sentences
PAIRS = 0.6  # least share of its neighbouring content words that stand near each other there too
NEAREST = 2  # how many sentences of the passages one sentence may be made of
REACH = 4  # how many content words apart a pair may stand

_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*|\d[\d.,]*")
_NEGATION = re.compile(
    r"\b(?:not|no|never|none|neither|nor|cannot|without|isn't|doesn't|can't|don't|aren't|hardly)\b",
    re.I,
)
_STOP = frozenset(
    "a an and are as at be been but by can could do does each for from had has have how if in into is it its "
    "itself may might more most much of often on one only or other our so some such than that the their them "
    "then there these they this those to too up use used uses using very was we were what when where which "
    "while who whose will with would you your also both many any all about between example called".split()
)
_NUMBERS = frozenset(
    "two three four five six seven eight nine ten hundred thousand million billion percent".split()
)


@dataclass(frozen=True)
class Verdict:
    """Whether a sentence is supported; if not, which check it failed, in plain words."""

    supported: bool
    reason: str = ""
    similarity: float = 0.0


def stem(word: str) -> str:
    """A word without its commonest endings: `generates`, `generated`, `generating` -> `generat`."""
    word = word.lower().replace("’", "'").removesuffix("'s")
    for ending in ("ization", "isation", "ations", "ation", "ingly", "ings", "ing", "ions", "ion", "edly", "ed",
                   "ers", "er", "ies", "es", "ly", "s", "e", "y"):  # fmt: skip
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


def content_words(text: str) -> set[str]:
    """Stems of the words that carry meaning."""
    return {
        stem(word) for word in _WORD.findall(text) if word.lower() not in _STOP and len(word) > 1
    }


def numbers_and_names(sentence: str) -> set[str]:
    """Figures, number words and capitalised words that do not merely begin the sentence."""
    words = _WORD.findall(sentence)
    figures = {word.strip(".,") for word in words if word[0].isdigit() or word.lower() in _NUMBERS}
    return {word.lower() for word in figures} | {
        word.lower() for word in words[1:] if word[0].isupper()
    }


def pairs(text: str, reach: int = 1) -> set[tuple[str, str]]:
    """Content words that follow each other, at most `reach` words apart, in order."""
    stems = [
        stem(word) for word in _WORD.findall(text) if word.lower() not in _STOP and len(word) > 1
    ]
    return {(a, b) for i, a in enumerate(stems) for b in stems[i + 1 : i + 1 + reach]}


class Grounding:
    """The passages that an answer may rest on, ready for checking sentences."""

    def __init__(self, sentences: Sequence[str], embed: Encode) -> None:
        self._sentences = tuple(sentences)
        self._embed = embed
        self._plain = {word.strip(".,").lower() for word in _WORD.findall(" ".join(sentences))}

    def check(self, sentence: str) -> Verdict:
        """Is `sentence` supported? The cheap checks come first."""
        words = content_words(sentence)
        if not words:
            return Verdict(False, "it says nothing")
        if foreign := numbers_and_names(sentence) - self._plain:
            return Verdict(False, f"{min(foreign)!r} does not stand in the material")
        near = self.nearest(sentence)
        if near[0][1] < MEANING:
            return Verdict(False, "nothing in the material says the same", near[0][1])
        return self._compare(sentence, words, near)

    def _compare(
        self, sentence: str, words: set[str], near: Sequence[tuple[str, float]]
    ) -> Verdict:
        """Words, their order and denial against the nearest sentences."""
        (closest, similarity), *_ = near
        source = " ".join(text for text, _ in near)
        if len(words & content_words(source)) < WORDS * len(words):
            return Verdict(False, "it uses words that the material does not", similarity)
        neighbours = pairs(sentence)
        if len(neighbours & pairs(source, REACH)) < PAIRS * len(neighbours):
            return Verdict(False, "it puts the words together in another way", similarity)
        if bool(_NEGATION.search(sentence)) != bool(_NEGATION.search(closest)):
            return Verdict(
                False, "it denies what the material says, or the other way round", similarity
            )
        return Verdict(True, similarity=similarity)

    def nearest(self, sentence: str, count: int = NEAREST) -> list[tuple[str, float]]:
        """The sentences of the passages closest in meaning with their cosines, best first."""
        similarity = self._embed(self._sentences) @ self._embed([sentence])[0]
        return [(self._sentences[i], float(similarity[i])) for i in (-similarity).argsort()[:count]]
