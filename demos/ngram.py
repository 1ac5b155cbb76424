"""A word trigram model with back-off: how text was continued by machine before neural networks.

It counts which word followed which two words in Shakespeare's plays. A pair of words that it never
saw backs off to the last word alone, and then to how common each word is. Probabilities are exact
(they sum to one): interpolated absolute discounting, Ney, Essen & Kneser (1994), "On structuring
probabilistic dependences in stochastic language modelling", Computer Speech & Language 8(1).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import assets
from demos.base import Piece

# Words (with their apostrophes and inner hyphens), dashes, line breaks, any other mark.
WORD = re.compile(r"\n|'?[^\W\d_]+(?:['’-][^\W\d_]+)*|--+|[^\s\w]|[\d_]+")
DIRECTION = re.compile(r"_*\[[^]_]*[]_]_*|_+[^_]*_+|\*+[^*]*\*+")  # [Aside]_, _Exit_, *Exit*
CLOSING = set(".,;:!?)'’")  # marks that stand right behind a word
DISCOUNT = 0.75  # taken from every count (0..1) and given to what was never seen; Ney et al. (1994)
START = "\n"


def plain_text(play: str) -> str:
    """What is spoken in a play in Markdown: no headings, speakers' names or stage directions."""
    spoken = []
    for paragraph in re.split(r"\n\s*\n", play):
        paragraph = re.sub(r"\A\*\*.*\*\* *(?:\n|\Z)", "", paragraph.strip())
        paragraph = DIRECTION.sub(" ", paragraph.replace("\\", "")).replace("_", " ")
        if not paragraph.startswith("#"):
            spoken += [line.strip() for line in paragraph.splitlines() if line.strip()]
    return "\n".join(spoken)


def words(text: str) -> list[str]:
    """Words and marks in the order they stand; a line break is one too."""
    return WORD.findall(text)


def written(word: str, after: str) -> str:
    """`word` with the space that belongs before it when it follows `after`."""
    close = word in CLOSING or word.startswith(("\n", "--")) or after.startswith(("\n", "--", "("))
    return word if close or not after else " " + word


@dataclass(frozen=True)
class Counts:
    """What followed each context of one length, as a sorted list: rows `start`..`end` of a context.

    contexts: (contexts,), sorted; bounds: (contexts + 1,); followers, counts: (rows,).
    """

    contexts: np.ndarray
    bounds: np.ndarray
    followers: np.ndarray
    counts: np.ndarray

    def after(self, context: int) -> tuple[np.ndarray, np.ndarray]:
        """The words that followed `context` and how often; empty when it was never seen."""
        at = int(np.searchsorted(self.contexts, context))
        if at == len(self.contexts) or self.contexts[at] != context:
            return self.followers[:0], self.counts[:0]
        rows = slice(self.bounds[at], self.bounds[at + 1])
        return self.followers[rows], self.counts[rows]


def count(contexts: np.ndarray, followers: np.ndarray, vocabulary: int) -> Counts:
    """Count the pairs of a context and its follower. contexts, followers: (positions,) int64."""
    pairs, counts = np.unique(contexts * vocabulary + followers, return_counts=True)
    seen, starts = np.unique(pairs // vocabulary, return_index=True)
    return Counts(seen, np.append(starts, len(pairs)), pairs % vocabulary, counts)


@dataclass(frozen=True)
class Trigrams:
    """The model. `common`: (vocabulary,), sums to 1."""

    vocabulary: tuple[str, ...]
    numbers: dict[str, int]
    common: np.ndarray
    after_one: Counts
    after_two: Counts

    def number(self, word: str) -> int:
        """A word's number; as a last resort that of its lower case. -1: not in the plays."""
        return self.numbers.get(word, self.numbers.get(word.lower(), -1))

    def probabilities(self, context: Sequence[int]) -> np.ndarray:
        """How likely each word is after the last two of `context`: (vocabulary,), sums to 1."""
        found = self.common
        before, last = ([-1, -1, *context])[-2:]
        if last >= 0:
            found = discounted(found, *self.after_one.after(last))
        if last >= 0 and before >= 0:
            found = discounted(found, *self.after_two.after(before * len(self.vocabulary) + last))
        return found

    def continue_text(
        self, text: str, *, max_tokens: int, temperature: float, top_p: float, seed: int
    ) -> Iterator[Piece]:
        """Words after `text`, one by one, with their probability and ten others."""
        generator = np.random.default_rng(seed)
        so_far = words(text) or [START]
        for _ in range(max_tokens):
            likely = self.probabilities([self.number(word) for word in so_far[-2:]])
            chosen = sample(likely, temperature, top_p, generator)
            yield self._piece(likely, chosen, so_far[-1])
            so_far.append(self.vocabulary[chosen])

    def _piece(self, likely: np.ndarray, chosen: int, after: str) -> Piece:
        best = [i for i in np.argsort(-likely, kind="stable")[:11] if i != chosen][:10]
        others = tuple((written(self.vocabulary[i], after), float(likely[i])) for i in best)
        return Piece(written(self.vocabulary[chosen], after), float(likely[chosen]), others)


def discounted(shorter: np.ndarray, followers: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Counts of a longer context, less DISCOUNT each; what that frees is spread like `shorter`."""
    if not len(followers):
        return shorter
    total = counts.sum()
    found = shorter * (DISCOUNT * len(followers) / total)
    found[followers] += (counts - DISCOUNT) / total
    return found


def sample(
    likely: np.ndarray, temperature: float, top_p: float, generator: np.random.Generator
) -> int:
    """Draw one: temperature 0 takes the likeliest; `top_p` keeps the likeliest that sum to it.

    likely: (vocabulary,), sums to 1. temperature 0..2; top_p 0..1. Nucleus sampling after
    Holtzman et al. (2020), arXiv:1904.09751.
    """
    if temperature == 0:
        return int(likely.argmax())
    order = np.argsort(-likely, kind="stable")
    with np.errstate(divide="ignore"):
        logits = np.log(likely[order]) / temperature
    weights = np.exp(logits - logits[0])
    weights /= weights.sum()
    kept = weights[: np.searchsorted(weights.cumsum(), top_p) + 1]
    return int(generator.choice(order[: len(kept)], p=kept / kept.sum()))


def train(text: str) -> Trigrams:
    """Count every word of `text` after the one and the two before it."""
    found = words(text)
    number: dict[str, int] = {}
    numbers = np.array([number.setdefault(word, len(number)) for word in found], dtype=np.int64)
    size, first, second, third = len(number), numbers[:-2], numbers[1:-1], numbers[2:]
    return Trigrams(
        vocabulary=tuple(number),
        numbers=number,
        common=np.bincount(numbers, minlength=size) / len(numbers),
        after_one=count(numbers[:-1], numbers[1:], size),
        after_two=count(first * size + second, third, size),
    )


@functools.cache
def shakespeare() -> Trigrams:
    """The model of the plays in the asset; counting them takes a second or two, once."""
    plays = sorted(Path(assets.path("shakespeare")).glob("*/*.md"))
    return train("\n".join(plain_text(play.read_text(encoding="utf-8")) for play in plays))
