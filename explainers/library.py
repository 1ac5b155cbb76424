"""Find the passages that a question is about.

Every topic's questions, names and sentences are embedded once with all-MiniLM-L6-v2 (Wang et al.,
2020; Reimers & Gurevych, 2019: mean of the token states, length 1) and compared with the question
by cosine; character n-grams (TF-IDF) add what meaning misses: rare names and misspelt words.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from explainers.topics import Passage, Topic, load_topics

if TYPE_CHECKING:
    import numpy as np

Encode = Callable[[Sequence[str]], "np.ndarray"]  # n texts -> [n, 384], rows of length 1

MEANING, SPELLING = 0.8, 0.2  # weights of the two similarities; chosen by benchmarks/retrieval.py


@dataclass(frozen=True)
class Entry:
    """Something to compare a question with: a topic's question or name, or a passage's sentence."""

    kind: str  # "question", "name", "sentence", "item" (a sentence) or "item_name"
    text: str
    topic: str
    passage: int  # index into Library.passages; -1 for questions and names


@dataclass(frozen=True)
class Found:
    """A sentence that speaks to the question, its passage, and how well it fits (0..1)."""

    text: str
    passage: Passage
    score: float


@dataclass(frozen=True)
class Findings:
    """What a search found: topics and sentences, best first.

    score: how sure the library is that it covers the question, about 0..1.
    """

    topics: tuple[tuple[str, float], ...]
    sentences: tuple[Found, ...]

    @property
    def score(self) -> float:
        return self.topics[0][1] if self.topics else 0.0


class Library:
    """Topics with an index over them. Building it embeds about 3,500 short texts, then caches."""

    def __init__(self, topics: Mapping[str, Topic], encode: Encode, cache: Path | None = None) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self.topics = topics
        self.passages = tuple(passage for topic in topics.values() for passage in topic.passages)
        self.entries = tuple(_entries(topics, self.passages))
        self.encode = encode
        texts = [entry.text for entry in self.entries]
        self._vectors = _cached(texts, encode, cache)
        self._speller = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
        self._spelled = self._speller.fit_transform(texts)

    def similarities(self, question: str) -> np.ndarray:
        """How close each entry is to the question: [len(entries)], about 0..1."""
        meaning = self._vectors @ self.encode([question])[0]
        spelling = (self._spelled @ self._speller.transform([question]).T).toarray()[:, 0]
        return MEANING * meaning + SPELLING * spelling

    def search(self, question: str, *, keep: int = 12) -> Findings:
        """The topics and sentences nearest to `question`, best first."""
        return self.rank(self.similarities(question), keep=keep)

    def rank(self, similarity: np.ndarray, *, keep: int = 12) -> Findings:
        """Topics by their best entry; sentences by their own fit and their topic's."""
        best: dict[str, float] = {}
        for entry, score in zip(self.entries, similarity, strict=True):
            best[entry.topic] = max(best.get(entry.topic, -1.0), float(score))
        topics = sorted(best.items(), key=lambda pair: -pair[1])[:keep]
        sentences = [
            Found(entry.text, self.passages[entry.passage], 0.5 * float(score) + 0.5 * best[entry.topic])
            for entry, score in zip(self.entries, similarity, strict=True)
            if entry.kind in ("sentence", "item") and best[entry.topic] >= topics[0][1] - 0.15
        ]
        sentences.sort(key=lambda found: -found.score)
        return Findings(tuple(topics), tuple(sentences[:keep]))

    def item(self, thing: str) -> Found | None:
        """The everyday example called most like `thing`, or None when there is none near."""
        similarity = self.similarities(thing)
        named = [(float(s), e) for e, s in zip(self.entries, similarity, strict=True) if e.kind == "item_name"]
        if not named:
            return None
        score, entry = max(named, key=lambda pair: pair[0])
        passage = self.passages[entry.passage]
        return Found(passage.text, passage, score)


def _entries(topics: Mapping[str, Topic], passages: Sequence[Passage]) -> list[Entry]:
    entries = [
        Entry(kind, text, topic.slug, -1)
        for topic in topics.values()
        for kind, texts in (("question", topic.questions), ("name", (topic.title, *topic.aliases)))
        for text in texts
    ]
    for index, passage in enumerate(passages):
        kind = "item" if passage.names else "sentence"
        entries += [Entry(kind, text, passage.topic, index) for text in passage.sentences]
        entries += [Entry("item_name", name, passage.topic, index) for name in passage.names]
    return entries


def _cached(texts: Sequence[str], encode: Encode, cache: Path | None) -> np.ndarray:
    """Embeddings [len(texts), 384], kept in a file named by the hash of the texts."""
    import numpy as np

    if cache is None:
        return encode(texts)
    digest = hashlib.sha256(json.dumps(list(texts)).encode()).hexdigest()[:16]
    kept = cache / f"library-{digest}.npy"
    if kept.exists():
        return np.load(kept, allow_pickle=False)
    vectors = encode(texts)
    cache.mkdir(parents=True, exist_ok=True)
    scratch = kept.with_name(f".{kept.name}.part")
    with scratch.open("wb") as opened:
        np.save(opened, vectors)
    scratch.replace(kept)
    return vectors


def open_encoder(folder: Path) -> Encode:
    """all-MiniLM-L6-v2 from `folder` as a function from texts to vectors of length 1."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModel.from_pretrained(folder, local_files_only=True).eval()

    @torch.inference_mode()
    def encode(texts: Sequence[str]) -> np.ndarray:
        rows = []
        for start in range(0, len(texts), 64):
            batch = tokenizer(list(texts[start : start + 64]), padding=True, truncation=True, max_length=128,
                              return_tensors="pt")  # fmt: skip
            states = model(**batch).last_hidden_state  # [n, tokens, 384]
            mask = batch["attention_mask"][..., None]
            mean = (states * mask).sum(1) / mask.sum(1)
            rows.append(torch.nn.functional.normalize(mean, dim=1))
        return torch.cat(rows).numpy()

    return encode


def open_library() -> Library:
    """The library over our own topics, with its embeddings cached."""
    import assets

    return Library(load_topics(), open_encoder(assets.path("minilm")), assets.cache_folder())
