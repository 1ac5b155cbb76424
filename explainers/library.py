"""Find the passages that a question is about.

Every topic's questions, names and sentences are embedded once with all-MiniLM-L6-v2 (Wang et al.,
2020; Reimers & Gurevych, 2019: mean of the token states, length 1) and compared with the question
by cosine; character n-grams (TF-IDF) add what meaning misses: rare names and misspelt words.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.adapter import adapted, read_adapter
from explainers.grounding import content_words
from explainers.reading import Reader, open_reader
from explainers.reranker import Judge, open_judge
from explainers.spelling import Speller
from explainers.topics import Passage, Topic, load_topics

if TYPE_CHECKING:
    import numpy as np

SHIPPED = Path(__file__).parents[1] / "weights" / "library" / "embeddings.safetensors"
ADAPTER = Path(__file__).parents[1] / "weights" / "encoder" / "adapter.safetensors"

Encode = Callable[[Sequence[str]], "np.ndarray"]  # n texts -> [n, 384], rows of length 1

MEANING, SPELLING = 0.8, 0.2  # weights of the two similarities
OWN, AROUND = 0.5, 0.2  # a sentence's score: its own fit, its passage's; the rest is its topic's


@dataclass(frozen=True)
class Entry:
    """Something to compare a question with: a topic's question or name, or a passage's sentence."""

    kind: str  # "question", "name", "sentence", "passage", "item" (a sentence) or "item_name"
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
    """Topics with an index over them.

    kept: embeddings by digest, so that only texts that changed have to be embedded.
    english: ordinary words, the commonest first, which `respell` leaves alone.
    """

    def __init__(self, topics: Mapping[str, Topic], encode: Encode, kept: Mapping[str, np.ndarray],
                 english: Sequence[str] = ()) -> None:  # fmt: skip
        import numpy as np
        from sklearn.feature_extraction.text import TfidfVectorizer

        self.topics = topics
        self.passages = tuple(passage for topic in topics.values() for passage in topic.passages)
        self.entries = tuple(_entries(topics, self.passages))
        self.encode = encode
        self.texts = texts = tuple(entry.text for entry in self.entries)
        self.vectors = embed_with_cache(texts, encode, kept)
        self.made_fresh = any(digest(text) not in kept for text in texts)
        self._speller = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
        self._spelled = self._speller.fit_transform(texts)
        self._known = {text: index for index, text in enumerate(texts)}
        self.kinds = np.array([entry.kind for entry in self.entries])
        self.rows_by_topic = {
            slug: np.flatnonzero([entry.topic == slug for entry in self.entries]) for slug in topics
        }
        self.vocabulary = frozenset(content_words(" ".join(texts)))
        # Not from the questions: those are misspelt on purpose.
        spelt = [
            entry.text
            for entry in self.entries
            if entry.kind in ("passage", "item", "item_name", "name")
        ]
        self._words = frozenset(re.findall(r"[a-z]+", " ".join(spelt).lower()))
        self._words_speller = Speller(self._words, english)
        self._names = {
            plain_name(name): slug
            for slug, topic in topics.items()
            for name in (topic.title, *topic.aliases)
        }

    def compare(self, question: str) -> tuple[np.ndarray, np.ndarray]:
        """Likeness of the question to each entry in meaning and in spelling: twice [len(entries)]."""
        meaning = self.vectors @ self.embed([question])[0]
        spelling = (self._spelled @ self._speller.transform([question]).T).toarray()[:, 0]
        return meaning, spelling

    def similarities(self, question: str) -> np.ndarray:
        """How close each entry is to the question: [len(entries)], about 0..1."""
        meaning, spelling = self.compare(question)
        return MEANING * meaning + SPELLING * spelling

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors [len(texts), 384]; those of the library's own texts are looked up."""
        import numpy as np

        fresh = [text for text in texts if text not in self._known]
        made = dict(zip(fresh, self.encode(fresh), strict=True)) if fresh else {}
        return np.stack([made[t] if t in made else self.vectors[self._known[t]] for t in texts])

    def mentioned(self, text: str) -> str | None:
        """The topic whose title or alias stands in `text`: the first one, by its longest name."""
        found = self._find_name(text)
        return found[2] if found else None

    def name_in(self, text: str) -> str:
        """The first topic's name as it stands in `text`, in plain words; empty if there is none."""
        found = self._find_name(text)
        return " ".join(plain_name(text).split()[found[0] : found[0] + found[1]]) if found else ""

    def _find_name(self, text: str) -> tuple[int, int, str] | None:
        """Where the first topic's name stands, in words, how many words it has, and whose it is."""
        words = plain_name(text).split()
        for start in range(len(words)):
            for size in range(min(6, len(words) - start), 0, -1):
                if slug := self._names.get(" ".join(words[start : start + size])):
                    return start, size, slug
        return None

    def knows(self, name: str) -> bool:
        """Does the word stand anywhere in the topics?"""
        return name.lower() in self._words or name.lower().removesuffix("s") in self._words

    def says(self, text: str) -> bool:
        """Does the text stand in any passage, whatever its capitals?"""
        return any(text.lower() in passage.text.lower() for passage in self.passages)

    def respell(self, question: str) -> str:
        """The question with misspelt words put right, where a word is close enough."""
        return self._words_speller.respell(question)

    def search(self, question: str, *, keep: int = 12) -> Findings:
        """The topics and sentences nearest to `question`, best first.

        A topic's name in the question finds the topic, but drowns what is asked about it, so
        sentences are compared with the question without that name as well.
        """
        whole = self.similarities(question)
        rest = self.without_name(question)
        return self.rank(whole, (whole + self.similarities(rest)) / 2 if rest else whole, keep=keep)

    def without_name(self, question: str) -> str:
        """The question without the first topic's name in it; empty if it names none or little is left."""
        found = self._find_name(question)
        if not found:
            return ""
        start, size, _ = found
        words = re.findall(r"[A-Za-z0-9]+", question)  # as plain_name counts them
        rest = words[:start] + words[start + size :]
        return " ".join(rest) if len(content_words(" ".join(rest))) >= 2 else ""

    def rank(self, similarity: np.ndarray, narrow: np.ndarray, *, keep: int = 12) -> Findings:
        """Topics by their best entry; sentences by their own (narrow) fit, their passage's, their topic's."""
        topics = {slug: float(similarity[rows].max()) for slug, rows in self.rows_by_topic.items()}
        best = max(topics.values())
        around = {
            e.passage: float(s)
            for e, s in zip(self.entries, similarity, strict=True)
            if e.kind == "passage"
        }
        rest = 1 - OWN - AROUND
        sentences = [
            Found(entry.text, self.passages[entry.passage],
                  OWN * float(score) + AROUND * around.get(entry.passage, float(score)) + rest * topics[entry.topic])
            for entry, score in zip(self.entries, narrow, strict=True)
            if entry.kind in ("sentence", "item") and topics[entry.topic] >= best - 0.2
        ]  # fmt: skip
        sentences.sort(key=lambda found: -found.score)
        ranked = sorted(topics.items(), key=lambda pair: -pair[1])
        return Findings(tuple(ranked[:keep]), tuple(sentences[:keep]))

    def described_item(self, description: str, sides: Collection[str]) -> tuple[float, int]:
        """The everyday example on one of `sides` that a clause describes: likeness, passage's index."""
        fit: dict[int, dict[str, float]] = {}
        for entry, score in zip(self.entries, self.similarities(description), strict=True):
            if entry.kind in ("item", "item_name") and self.passages[entry.passage].side in sides:
                kinds = fit.setdefault(entry.passage, {})
                kinds[entry.kind] = max(kinds.get(entry.kind, 0.0), float(score))
        return max(
            (0.6 * kinds["item"] + 0.4 * kinds["item_name"], index) for index, kinds in fit.items()
        )

    def best(self, name: str, kind: str) -> tuple[float, Entry]:
        """The entry of `kind` most like `name`, and how alike the two are, about 0..1."""
        similarity = self.similarities(name)
        named = (
            (float(s), e) for e, s in zip(self.entries, similarity, strict=True) if e.kind == kind
        )
        return max(named, key=lambda pair: pair[0])


def plain_name(text: str) -> str:
    """Words in lower case without plural endings: `Large language models` -> `large language model`."""
    return " ".join(
        re.sub(r"(?<=[a-z]{2})s$", "", word) for word in re.findall(r"[a-z0-9]+", text.lower())
    )


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
        if not passage.names:
            entries.append(
                Entry("passage", f"{passage.title}. {passage.text}", passage.topic, index)
            )
    return entries


def embed_with_cache(
    texts: Sequence[str], encode: Encode, kept: Mapping[str, np.ndarray]
) -> np.ndarray:
    """Vectors [len(texts), 384]; those whose text's hash is in `kept` need no work."""
    import numpy as np

    digests = [digest(text) for text in texts]
    fresh = [text for text, name in zip(texts, digests, strict=True) if name not in kept]
    made = dict(zip(fresh, encode(fresh), strict=True)) if fresh else {}
    return np.stack(
        [
            made[t] if t in made else kept[d].astype("float32")
            for t, d in zip(texts, digests, strict=True)
        ]
    )


def digest(text: str) -> str:
    """A text's name in the kept embeddings: 8 bytes of SHA-256, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def load_kept(path: Path) -> dict[str, np.ndarray]:
    """Embeddings by their text's digest, from a safetensors file; none when there is no file."""
    from safetensors.numpy import load_file

    if not path.exists():
        return {}
    kept = load_file(path)
    return dict(zip((row.tobytes().hex() for row in kept["digests"]), kept["vectors"], strict=True))


def save_kept(path: Path, texts: Sequence[str], vectors: np.ndarray) -> None:
    """Write embeddings as float16 beside their texts' digests, in one move."""
    import numpy as np
    from safetensors.numpy import save_file

    digests = np.stack([np.frombuffer(bytes.fromhex(digest(text)), np.uint8) for text in texts])
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.part")
    save_file(
        {"digests": digests, "vectors": np.ascontiguousarray(vectors.astype(np.float16))}, scratch
    )
    scratch.replace(path)


def open_readers(folder: Path) -> tuple[Encode, Encode, Judge, Reader]:
    """all-MiniLM-L6-v2 from `folder` four times, its weights once: as published and as we trained it, both as
    functions from texts to vectors of length 1, as the judge of pairs, and as the reader of questions."""
    tokenizer, model = _open_minilm(folder)
    return *_encoders(tokenizer, model), open_judge(tokenizer, model), open_reader(tokenizer, model)


def open_encoders(folder: Path) -> tuple[Encode, Encode]:
    """The first two of `open_readers`, for the trainings that come before the judge's."""
    return _encoders(*_open_minilm(folder))


def _encoders(tokenizer: Any, model: Any) -> tuple[Encode, Encode]:
    return _encoder(tokenizer, model), _encoder(tokenizer, adapted(model, read_adapter(ADAPTER)))


def open_encoder(folder: Path) -> Encode:
    """all-MiniLM-L6-v2 from `folder`, as published, as a function from texts to vectors of length 1."""
    return _encoder(*_open_minilm(folder))


def _open_minilm(folder: Path) -> tuple[Any, Any]:
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return tokenizer, AutoModel.from_pretrained(folder, local_files_only=True).eval()


def _encoder(tokenizer: Any, model: Any) -> Encode:
    """Texts -> the mean of the model's token states, at length 1."""
    import torch

    @functools.lru_cache(maxsize=256)
    def one(text: str) -> np.ndarray:
        return many((text,))

    def encode(texts: Sequence[str]) -> np.ndarray:
        return one(texts[0]) if len(texts) == 1 else many(texts)  # a question is looked up several times

    @torch.inference_mode()
    def many(texts: Sequence[str]) -> np.ndarray:
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


def open_library() -> tuple[Library, Encode, Judge, Reader]:
    """The library over our own topics, the trained encoder, the judge of pairs and the reader of questions.

    Embeddings of changed topics are made anew and cached.
    """
    import assets

    shipped, cached = SHIPPED, assets.cache_folder() / "library.safetensors"
    minilm = assets.path("minilm")
    english = (minilm / "vocab.txt").read_text(encoding="utf-8").split()  # in the order of how common they are
    plain, trained, judge, read = open_readers(minilm)
    library = Library(load_topics(), plain, load_kept(shipped) | load_kept(cached), english)
    if library.made_fresh:
        save_kept(cached, library.texts, library.vectors)
    return library, trained, judge, read
