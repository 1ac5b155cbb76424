"""Is a sentence supported by the passages? Words, their order, numbers and names must agree.

Embedding similarity lets a wrong name or a swapped number through, a share of the words lets the one
decisive word change, and so does a classifier over both (benchmarks/grounding.py measures them). So a
sentence stands only if every word that carries meaning stands in one sentence of the passages, in the
same order: it may leave out, it may not add, swap, widen, deny or combine. That refuses most harmless
rewordings; a refused sentence costs a quote, a wrong one costs trust.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

REACH = 4  # how many words of the source may be left out between two words that follow each other

_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*|\d(?:[\d.,]*\d)?")
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
_HOW_MUCH = frozenset("all always any both each every more most never only same".split())  # a claim grows by them
_NUMBERS = frozenset(
    "two three four five six seven eight nine ten hundred thousand million billion percent".split()
)


@dataclass(frozen=True)
class Verdict:
    """Whether a sentence is supported, and by which; if not, which check it failed, in plain words."""

    supported: bool
    reason: str = ""
    source: str = ""


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
    return set(_stems(text))


def numbers_and_names(sentence: str) -> set[str]:
    """Figures, number words and capitalised words that do not merely begin the sentence."""
    words = _WORD.findall(sentence)
    figures = {word for word in words if word[0].isdigit() or word.lower() in _NUMBERS}
    return {word.lower() for word in figures} | {word.lower() for word in words[1:] if word[0].isupper()}


def pairs(text: str, reach: int = 1) -> set[tuple[str, str]]:
    """Words that carry meaning or deny, each with those that follow at most `reach` such words later."""
    stems = _stems(text, with_denials=True)
    return {(a, b) for i, a in enumerate(stems) for b in stems[i + 1 : i + 1 + reach]}


def _in_order(sentence: str, source: str) -> bool:
    """Do the sentence's words stand in the source in the same order, others between them?"""
    return _ordered(_stems(sentence, with_denials=True), _stems(source, with_denials=True))


def _ordered(words: Sequence[str], source: Sequence[str]) -> bool:
    rest = iter(source)
    return all(word in rest for word in words)


def _stems(text: str, *, with_denials: bool = False) -> list[str]:
    words = [word for word in _WORD.findall(text) if len(word) > 1 or word.isdigit()]
    return [
        "not" if _NEGATION.fullmatch(word) and with_denials else stem(word)
        for word in words
        if word.lower() not in _STOP or (with_denials and _NEGATION.fullmatch(word))
    ]


class Grounding:
    """The sentences that an answer may rest on, ready for checking others against them."""

    def __init__(self, sentences: Sequence[str]) -> None:
        self._sentences = tuple(sentences)
        self._stems = [_stems(sentence, with_denials=True) for sentence in sentences]
        self._plain = {word.lower() for word in _WORD.findall(" ".join(sentences))}

    def check(self, sentence: str) -> Verdict:
        """Is `sentence` supported, and by which sentence?"""
        if not content_words(sentence):
            return Verdict(False, "it says nothing")
        if foreign := numbers_and_names(sentence) - self._plain:
            return Verdict(False, f"{min(foreign)!r} does not stand in the material")
        reasons = [worded_like(sentence, source) for source in self._sentences]
        if "" in reasons:
            return Verdict(True, source=self._sentences[reasons.index("")])
        return Verdict(False, min(reasons, key=len, default="there is no material"))

    def may_become(self, beginning: str) -> bool:
        """Can an unfinished sentence still be supported? Its last word may be half written."""
        words = _stems(beginning.rpartition(" ")[0], with_denials=True)
        return any(_ordered(words, stems) for stems in self._stems)


def worded_like(sentence: str, source: str) -> str:
    """Why `sentence` is no shortened form of `source`; empty if it is one."""
    if foreign := content_words(sentence) - content_words(source):
        return f"it uses words that the material does not ({', '.join(sorted(foreign))})"
    if added := _quantifiers(sentence) - _quantifiers(source):
        return f"it says {min(added)!r}, which the material does not"
    if pairs(sentence) - pairs(source, REACH) or not _in_order(sentence, source):
        return "it puts the words together in another way"
    if bool(_NEGATION.search(sentence)) != bool(_NEGATION.search(source)):
        return "it denies what the material says, or the other way round"
    return ""


def _quantifiers(text: str) -> set[str]:
    return set(_WORD.findall(text.lower())) & _HOW_MUCH
