"""Which sentence of the topics answers a question? A small network over what the searches say of each.

Every sentence is compared with the question by an encoder that learned on our question bank
(training/encoder.py), by MiniLM as published, by spelling, and by the questions of the bank that it
answers (document expansion; Nogueira et al., 2019). A network with one hidden layer weighs these
likenesses, the sentence's place and the question's kind. Trained by `python -m training.ranking`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from explainers.grounding import content_words
from explainers.intent import read_intent
from explainers.library import (
    Encode,
    Found,
    Library,
    digest,
    embed_with_cache,
    load_kept,
    save_kept,
)
from explainers.reranker import HEAD, Judge
from explainers.topics import SECTIONS, Passage, Topic

if TYPE_CHECKING:
    import numpy as np

FOLDER = Path(__file__).parents[1] / "weights" / "encoder"
TOLD, ASKED, NETWORK = (FOLDER / f"{name}.safetensors" for name in ("told", "asked", "ranking"))
KINDS = ("definition", "how", "why", "comparison", "which_side", "which_one", "example", "claim", "yes_no", "who",
         "when", "number", "about", "other")  # fmt: skip
SAME_QUESTION = 0.995  # cosine of a question with itself, as it was kept in half precision
SAME_ASKED = 0.82  # cosine from which a question asks the same as one of the bank
JUDGED = 8  # so many of the best sentences are read together with the question; 24 find no more
LATER = 0.9  # what a bank question counts for a sentence that does not come first in its answer


@dataclass(frozen=True)
class Asked:
    """Questions of the bank as vectors [n, 384], and which sentences answer each: digests, best first."""

    vectors: np.ndarray
    support: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Network:
    """Features -> a hidden layer -> one score for each sentence."""

    hidden: np.ndarray  # [features, width]
    hidden_bias: np.ndarray  # [width]
    out: np.ndarray  # [width]

    def scores(self, features: np.ndarray) -> np.ndarray:
        """[n, features] -> [n]; differences matter, not the values."""
        import numpy as np

        return np.maximum(features @ self.hidden + self.hidden_bias, 0) @ self.out


@dataclass(frozen=True)
class Ranked:
    """All sentences, best first: their rows, the probability of each to be the one to say first, and the
    judge's scores of the first JUDGED (none without a judge)."""

    rows: np.ndarray  # [sentences]
    share: np.ndarray  # [sentences]
    judged: np.ndarray  # [JUDGED] or [0]


def told(topic: Topic, sentence: str) -> str:
    """A sentence as the trained encoder reads it: with its topic's title in front."""
    return f"{topic.title}: {sentence}"


class Ranking:
    """Ranks all sentences of one library for a question."""

    def __init__(self, library: Library, encode: Encode, asked: Asked, network: Network | None,
                 kept: Mapping[str, np.ndarray], judge: tuple[Judge, float] | None = None) -> None:  # fmt: skip
        """judge: the cross-encoder and what its scores count beside the network's."""
        import numpy as np

        self._judge = judge
        self._library, self._encode, self.network = library, encode, network
        rows = [i for i, entry in enumerate(library.entries) if entry.kind in ("sentence", "item")]
        self.places: tuple[tuple[str, Passage], ...] = tuple(
            (library.entries[i].text, library.passages[library.entries[i].passage]) for i in rows
        )
        self._rows = np.array(rows)
        self.texts = [told(library.topics[passage.topic], text) for text, passage in self.places]
        self.own_texts = [entry.text for entry in library.entries if entry.kind == "question"]
        self.vectors = embed_with_cache(self.texts, encode, kept)
        self.own_vectors = embed_with_cache(self.own_texts, encode, kept)
        self._asked = asked.vectors
        self._row_of = {digest(text): row for row, text in enumerate(self.texts)}
        self._support = asked.support
        self._links = _links(asked, [digest(text) for text in self.texts])
        self._fixed = _fixed(self.places)
        self._words = WordIndex([content_words(text) for text in self.texts])
        slugs = list(library.topics)
        self._entry_topic = np.array([slugs.index(entry.topic) for entry in library.entries])
        self._names, self._own = (np.flatnonzero(library.kinds == kind) for kind in ("name", "question"))
        self._topic = np.array([slugs.index(passage.topic) for _, passage in self.places])
        self._slugs = slugs
        self.features = functools.lru_cache(maxsize=8)(self._features)  # coverage and ranking ask for the same
        self.ranked = functools.lru_cache(maxsize=8)(self._ranked)
        self._scores_of = functools.lru_cache(maxsize=8)(lambda asked: {})  # row -> the judge's score, for a question

    def save(self, path: Path) -> None:
        """Keep the vectors of all sentences and of the topics' own questions."""
        import numpy as np

        save_kept(path, [*self.texts, *self.own_texts], np.concatenate([self.vectors, self.own_vectors]))

    def rank(self, question: str, kind: str, about: str | None = None, keep: int = 40) -> tuple[Found, ...]:
        """The best sentences, each with the probability that it is the one to say first."""
        found = self.ranked(question, kind, about)
        pairs = zip(found.rows[:keep], found.share[:keep], strict=True)
        return tuple(Found(*self.places[row], float(share)) for row, share in pairs)

    def _ranked(self, question: str, kind: str, about: str | None = None, *, alone: bool = False) -> Ranked:
        """By the network, then the first ones again with the judge's word."""
        import numpy as np

        assert self.network, "this ranking was opened without its network"
        scores = self.network.scores(self.features(question, kind, about, alone=alone))
        rows, judged = (-scores).argsort(), np.empty(0, "float32")
        if self._judge:
            first, weight = rows[:JUDGED], self._judge[1]
            judged = self._judged(self.asked(question, about), first)
            scores = scores + weight * judged.min()
            scores[first] += weight * (judged - judged.min())
            order = (-scores[first]).argsort()
            judged = judged[order]
            rows = np.concatenate([first[order], rows[JUDGED:]])
        share = np.exp(scores - scores.max())[rows]
        return Ranked(rows, share / share.sum(), judged)

    def _judged(self, asked: str, rows: np.ndarray) -> np.ndarray:
        """The judge's scores of these sentences; each is read once, though the ranking is asked for more than one kind."""
        import numpy as np

        known = self._scores_of(asked)
        fresh = [row for row in rows.tolist() if row not in known]
        if fresh:
            known.update(zip(fresh, self._judge[0](asked, [self.texts[row] for row in fresh]), strict=True))
        return np.array([known[row] for row in rows.tolist()], "float32")

    def asked(self, question: str, about: str | None) -> str:
        """A question as the encoder reads it: one that leans on earlier turns comes with its topic's title."""
        return f"{self._library.topics[about].title}: {question}" if about else question

    def _features(self, question: str, kind: str, about: str | None = None, *, alone: bool = False) -> np.ndarray:
        """[sentences, features]; `about` is the topic under discussion.

        alone: look past the bank's own copy of the question, for training on it.
        """
        import numpy as np

        meaning = self._encode([self.asked(question, about)])[0]
        near, by_asked = self.vectors @ meaning, self._by_asked(meaning, SAME_QUESTION if alone else 2.0)
        bare, spelling = (likeness[self._rows] for likeness in self._library.compare(question))
        shared, rarest = self._words.compare(content_words(question))
        columns = [near, near - near.max(), by_asked, by_asked - by_asked.max(), bare, bare - bare.max(), spelling]
        columns += [spelling - spelling.max(), shared, shared - shared.max(), rarest]
        columns += [_spread(likeness, self._topic) for likeness in (near, by_asked, spelling, shared)]
        columns += [self._of_topic(self._library.mentioned(question)), self._of_topic(about)]
        likeness = self._library.similarities(question)
        columns += [self._best_of_topic(likeness, self._names), self._best_of_topic(likeness, self._own)]
        columns.append(self._best_of_topic(self.own_vectors @ meaning, np.arange(len(self._own)), self._own))
        columns += [np.full(len(near), float(kind == one)) for one in KINDS]
        return np.concatenate([np.stack(columns, 1), self._fixed], 1).astype("float32")

    def _by_asked(self, meaning: np.ndarray, below: float) -> np.ndarray:
        """For each sentence, how near the nearest bank question is that it answers, of those less near than `below`."""
        import numpy as np

        found = np.zeros(len(self.places), "float32")
        questions, sentences, weight = self._links
        likeness = self._asked @ meaning
        np.maximum.at(found, sentences, weight * np.where(likeness < below, likeness, 0)[questions])
        return found

    def known(self, question: str, about: str | None = None) -> tuple[Found, ...]:
        """The sentences that answer the bank's question that asks the same, in the order to say them; none if none does."""
        likeness = self._asked @ self._encode([self.asked(question, about)])[0]
        best = int(likeness.argmax())
        if likeness[best] < SAME_ASKED:
            return ()
        rows = [self._row_of[name] for name in self._support[best] if name in self._row_of]
        return tuple(Found(*self.places[row], float(likeness[best])) for row in rows)

    def fit(self, question: str, about: str | None = None, *, alone: bool = False) -> tuple[float, ...]:
        """How well the best sentences fit a question, nine numbers: likeness of the nearest and the tenth, of the
        nearest bank question; the first one's probability, share of the question's words, and spelling; the
        judge's word on the first, on the best, and on the third best.

        alone: look past the bank's own copy of the question.
        """
        import numpy as np

        kind = read_intent(question).kind
        features = self.features(question, kind, about, alone=alone)
        ranked = self.ranked(question, kind, about, alone=alone)
        near, best, judged = np.sort(features[:, 0]), features[ranked.rows[0]], ranked.judged / 4
        judged = (judged[0], *np.sort(judged)[[-1, -3]]) if len(judged) else (0, 0, 0)
        found = (near[-1], near[-10], features[:, 2].max(), ranked.share[0], best[8], best[6], *judged)
        return tuple(float(one) for one in found)

    def _of_topic(self, slug: str | None) -> np.ndarray:
        return (self._topic == (self._slugs.index(slug) if slug else -1)).astype("float32")

    def _best_of_topic(self, likeness: np.ndarray, rows: np.ndarray, entries: np.ndarray | None = None) -> np.ndarray:
        """The best likeness among a topic's entries, for each sentence; `rows` of `likeness` belong to `entries`."""
        import numpy as np

        best = np.full(len(self._slugs), -1.0, "float32")
        np.maximum.at(best, self._entry_topic[rows if entries is None else entries], likeness[rows])
        return best[self._topic]


class WordIndex:
    """Which texts share a question's words, rare words counting more (inverse document frequency)."""

    def __init__(self, words: Sequence[set[str]]) -> None:
        import math

        self._rows: dict[str, list[int]] = {}
        for row, some in enumerate(words):
            for word in some:
                self._rows.setdefault(word, []).append(row)
        self._count = len(words)
        self._weight = {word: math.log(self._count / len(rows)) for word, rows in self._rows.items()}

    def compare(self, asked: set[str]) -> tuple[np.ndarray, np.ndarray]:
        """For each text, the share of the question's weight that it has, and of its rarest word's: twice [texts], 0..1."""
        import numpy as np

        shared, rarest = np.zeros(self._count, "float32"), np.zeros(self._count, "float32")
        known = {word: self._weight[word] for word in asked if word in self._weight}
        for word, weight in known.items():
            rows = self._rows[word]
            shared[rows] += weight / sum(known.values())
            rarest[rows] = np.maximum(rarest[rows], weight / max(known.values()))
        return shared, rarest


def _links(asked: Asked, digests: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs (bank question, sentence) with what they count; a sentence that was edited has none."""
    import numpy as np

    where = {name: row for row, name in enumerate(digests)}
    pairs = [
        (q, where[name], LATER if place else 1.0)
        for q, names in enumerate(asked.support)
        for place, name in enumerate(names)
        if name in where
    ]
    questions, sentences, weight = zip(*pairs, strict=True) if pairs else ((), (), ())
    return np.array(questions, int), np.array(sentences, int), np.array(weight, "float32")


def _fixed(places: Sequence[tuple[str, Passage]]) -> np.ndarray:
    """What does not depend on the question: section, place in it, length, numbers and names in it."""
    import numpy as np

    rows = []
    for text, passage in places:
        place = passage.sentences.index(text)
        row = [float(passage.section == section) for section in SECTIONS]
        row += [float(bool(passage.names)), float(place == 0), float(place == 1), len(text.split()) / 30]
        row += [float(bool(re.search(pattern, text))) for pattern in (r"\d", r"[a-z] [A-Z][a-z]+ [A-Z]", r"\bnot\b|n't\b")]
        rows.append(row)
    return np.array(rows, "float32")


def _spread(likeness: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """The best likeness in each one's group."""
    import numpy as np

    best = np.full(groups.max() + 1, -1.0, "float32")
    np.maximum.at(best, groups, likeness)
    return best[groups]


def load_asked(path: Path = ASKED) -> Asked:
    """The bank's questions, from a safetensors file: vectors, and digests with zeros where there is none."""
    from safetensors.numpy import load_file

    kept = load_file(path)
    support = tuple(
        tuple(name.tobytes().hex() for name in names if name.any()) for names in kept["support"]
    )
    return Asked(kept["vectors"].astype("float32"), support)


def open_ranking(library: Library, encode: Encode, judge: Judge | None = None, asked: Asked | None = None) -> Ranking:
    """The trained ranking over `library`; `encode` is the trained encoder, `judge` reads the first ones again.
    asked: bank questions to know instead of the whole bank, for measuring. Changed sentences are embedded and cached."""
    from safetensors.numpy import load_file

    import assets

    cached = assets.cache_folder() / "told.safetensors"
    kept = load_kept(TOLD) | load_kept(cached)
    heard = (judge, float(load_file(HEAD)["weight"][0])) if judge else None
    network = Network(**load_file(NETWORK))
    ranking = Ranking(library, encode, asked or load_asked(), network, kept, heard)
    if any(digest(text) not in kept for text in (*ranking.texts, *ranking.own_texts)):
        ranking.save(cached)
    return ranking
