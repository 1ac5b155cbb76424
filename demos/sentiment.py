"""Is a film review positive or negative? Four ways to tell, and why: the weight of every word.

All four learned from, or were measured on, the same reviews; `python -m training.sentiment` makes
weights/sentiment/. Log odds run through this file: 0 is undecided, above is positive, and
probability = 1 / (1 + exp(-log odds)).
"""

from __future__ import annotations

import bisect
import functools
import itertools
import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import assets
from demos.base import Bars, Choice, Demo, Note, Piece, Table, Text, Toggle, Tokens, View, Words

WEIGHTS = Path(__file__).parent.parent / "weights" / "sentiment"
WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|[.,;:!?()]")
NEGATIONS = frozenset("not no never nothing neither nor without hardly barely cannot".split())
LEFT_OUT_AT_MOST = 60  # texts in one round of leaving words out, so that a long review stays quick
BATCH = 16  # texts that go through the sentence encoder at once
FULL = 2.0  # log odds that paint a word in its strongest colour

TOGETHER, MEANING, WORDS, LEXICON = (
    "All three together",
    "Meaning of the sentence (neural network)",
    "Words that were learned",
    "Words that people rated (no learning)",
)

# ------------------------------------------------------------------- ways to tell


def words_at(text: str) -> list[tuple[str, int]]:
    """The words in `text`, in lower case, and the character where each begins.

    Words from a negation to the next punctuation mark are marked, so that "not bad" is not "bad":
    Pang, Lee & Vaithyanathan (2002), arXiv:cs/0205070. Cross-validated accuracy 79.1% -> 80.0%.
    """
    found, negated = [], False
    for match in WORD.finditer(text.lower().replace("’", "'")):
        word = match[0]
        if word in ".,;:!?()":
            negated = False
        if word not in ".,;:()":
            found.append((f"not_{word}" if negated else word, match.start()))
        negated = negated or word in NEGATIONS or word.endswith("n't")
    return found


def word_counts(text: str) -> dict[str, int]:
    """Single words and pairs of neighbours in `text`, with how often each stands there."""
    found = [word for word, _ in words_at(text)]
    counts: dict[str, int] = {}
    for term in found + [f"{one} {two}" for one, two in itertools.pairwise(found)]:
        counts[term] = counts.get(term, 0) + 1
    return counts


@dataclass(frozen=True)
class Model:
    """What training wrote. Terms are words and pairs; idf and weights: (terms,).

    sentence: (384,), the weights of a sentence embedding; lexicon: the weight of VADER's score;
    together: (3,), how far each of the three counts; the intercepts are theirs, by name.
    """

    terms: dict[str, int]
    idf: np.ndarray
    weights: np.ndarray
    sentence: np.ndarray
    lexicon: np.ndarray
    together: np.ndarray
    intercepts: dict[str, float]
    card: dict[str, Any]

    def contributions(self, text: str) -> dict[str, float]:
        """Log odds that each known term of `text` adds; with the intercept they sum to the score.

        TF-IDF as in scikit-learn: (1 + log count) * idf, scaled to length 1.
        """
        counts = {term: n for term, n in word_counts(text).items() if term in self.terms}
        if not counts:
            return {}
        rows = [self.terms[term] for term in counts]
        values = (1 + np.log(list(counts.values()))) * self.idf[rows]
        pulls = values / np.linalg.norm(values) * self.weights[rows]
        return dict(zip(counts, pulls.tolist(), strict=True))


@functools.cache
def model() -> Model:
    """The weights in weights/sentiment/, read once."""
    from safetensors.numpy import load_file

    card = json.loads((WEIGHTS / "card.json").read_text(encoding="utf-8"))
    terms = json.loads((WEIGHTS / "terms.json").read_text(encoding="utf-8"))
    return Model(
        terms={term: row for row, term in enumerate(terms)},
        intercepts=card["intercepts"],
        card=card,
        **load_file(WEIGHTS / "model.safetensors"),
    )


def by_words(texts: Sequence[str]) -> np.ndarray:
    """Log odds (texts,) by TF-IDF and logistic regression: words count, their order hardly."""
    sums = [sum(model().contributions(text).values()) for text in texts]
    return np.array(sums) + model().intercepts["words"]


def by_meaning(texts: Sequence[str]) -> np.ndarray:
    """Log odds (texts,) by logistic regression on MiniLM's sentence embeddings."""
    return embed(texts) @ model().sentence + model().intercepts["sentence"]


def by_lexicon(texts: Sequence[str]) -> np.ndarray:
    """Log odds (texts,) by VADER's rules; only the step from score to probability was fitted."""
    return lexicon_scores(texts) * model().lexicon[0] + model().intercepts["lexicon"]


def by_all(texts: Sequence[str]) -> np.ndarray:
    """Log odds (texts,): a weighted sum of the other three."""
    three = np.stack([by_words(texts), by_meaning(texts), by_lexicon(texts)], axis=1)
    return three @ model().together + model().intercepts["together"]


WAYS: dict[str, Callable[[Sequence[str]], np.ndarray]] = {
    TOGETHER: by_all,
    MEANING: by_meaning,
    WORDS: by_words,
    LEXICON: by_lexicon,
}
NAMES = {TOGETHER: "together", MEANING: "sentence", WORDS: "words", LEXICON: "lexicon"}


def embed(texts: Sequence[str]) -> np.ndarray:
    """Sentence embeddings (texts, 384) of length 1: the mean of MiniLM's last layer."""
    import torch

    tokenizer, encoder = sentence_encoder()
    rows = []
    for start in range(0, len(texts), BATCH):
        batch = tokenizer(
            list(texts[start : start + BATCH]),
            padding=True, truncation=True, max_length=256, return_tensors="pt",
        )  # fmt: skip
        with torch.inference_mode():
            states = encoder(**batch).last_hidden_state  # (batch, tokens, 384)
        mask = batch["attention_mask"].unsqueeze(-1)
        mean = (states * mask).sum(1) / mask.sum(1)
        rows.append(torch.nn.functional.normalize(mean).numpy())
    return np.concatenate(rows)


@functools.cache
def sentence_encoder() -> tuple[Any, Any]:
    """MiniLM's tokenizer and network, loaded once."""
    from transformers import AutoModel, AutoTokenizer

    folder = assets.path("minilm")
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return tokenizer, AutoModel.from_pretrained(folder, local_files_only=True).eval()


def lexicon_scores(texts: Sequence[str]) -> np.ndarray:
    """VADER's compound score, -1..1, of each text (Hutto & Gilbert, 2014)."""
    return np.array([lexicon().polarity_scores(text)["compound"] for text in texts])


@functools.cache
def lexicon() -> Any:
    """VADER's word list and rules, loaded once."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()


def probability(log_odds: float) -> float:
    """0..1, without overflow at either end."""
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, log_odds))))


# ----------------------------------------------------------------------- why it says so


def exact_pulls(text: str, pieces: Sequence[str]) -> list[float]:
    """Log odds each piece adds in the word model; a pair's pull is halved between its words."""
    ends = np.cumsum([len(piece) for piece in pieces]).tolist()
    at = [(word, bisect.bisect_right(ends, start)) for word, start in words_at(text)]
    terms = [(word, (i,)) for word, i in at]
    terms += [(f"{one} {two}", (i, j)) for (one, i), (two, j) in itertools.pairwise(at)]
    counts, added = word_counts(text), model().contributions(text)
    pulls = [0.0] * len(pieces)
    for term, places in terms:
        for place in places:
            pulls[place] += added.get(term, 0.0) / counts[term] / len(places)
    return pulls


def left_out_pulls(way: Callable[..., np.ndarray], pieces: Sequence[str]) -> Iterator[list[float]]:
    """What each piece adds: the log odds of the whole less those without it. Grows as it goes.

    In a long text a few neighbours leave together, and share what that changes.
    """
    together = math.ceil(len(pieces) / LEFT_OUT_AT_MOST)
    groups = [range(i, min(i + together, len(pieces))) for i in range(0, len(pieces), together)]
    whole, pulls = float(way(["".join(pieces)])[0]), [0.0] * len(pieces)
    for start in range(0, len(groups), BATCH):
        batch = groups[start : start + BATCH]
        rest = ["".join(piece for i, piece in enumerate(pieces) if i not in out) for out in batch]
        for out, without in zip(batch, way(rest).tolist(), strict=True):
            for i in out:
                pulls[i] = (whole - without) / len(out)
        yield pulls


def weighed(text: str, name: str) -> Iterator[Words]:
    """The text with a weight per word, -1 (negative) to 1 (positive)."""
    pieces = re.findall(r"\s*\S+", text)
    steps = [exact_pulls(text, pieces)] if name == WORDS else left_out_pulls(WAYS[name], pieces)
    for pulls in steps:
        shown = tuple(
            (piece, max(-1.0, min(1.0, pull / FULL)))
            for piece, pull in zip(pieces, pulls, strict=True)
        )
        yield Words(shown, low="negative", high="positive", key="words", title="What each word did")


# ------------------------------------------------------------------------------ the demo


def run(
    text: str, classifier: str, ask_language_model: bool, language_model: Any
) -> Iterator[View]:
    """The verdict, the words behind it, what the others say, and the language model if asked."""
    positive = probability(float(WAYS[classifier]([text])[0]))
    yield Bars({"negative": 1 - positive, "positive": positive}, key="verdict", title="The verdict")
    yield from weighed(text, classifier)
    yield compared(text)
    yield Note(honest(text, classifier), key="honest")
    if ask_language_model:
        yield from asked(text, language_model)


def compared(text: str) -> Table:
    """What each way of telling says, and how often it is right."""
    rows = []
    for name, way in WAYS.items():
        positive = probability(float(way([text])[0]))
        verdict = "positive" if positive >= 0.5 else "negative"
        sure = f"{max(positive, 1 - positive):.0%}"
        rows.append((name, verdict, sure, f"{right(name):.0%}"))
    columns = ("Way to tell", "It says", "How sure", "Right on unseen reviews")
    return Table(columns, tuple(rows), key="compared", title="Does everyone agree?")


def right(name: str) -> float:
    """The share, 0..1, of held-out reviews that this way of telling gets right."""
    return model().card["held_out"][NAMES[name]]["accuracy"]


def honest(text: str, name: str) -> str:
    """How far to trust the verdict, in plain words."""
    card = model().card
    note = (
        f"Measured on {card['held_out_snippets']:,} snippets of film reviews that no training saw, "
        f"this way of telling is right {right(name):.0%} of the time. It is made for English film "
        "reviews: other subjects, irony and other languages lead it astray."
    )
    found = [word.removeprefix("not_") for word, _ in words_at(text) if word not in "!?"]
    if sum(word in model().terms for word in found) * 2 < max(1, len(found)):
        note += " It has hardly seen any of these words before: take this verdict as a guess."
    return note


def asked(text: str, language_model: Any) -> Iterator[View]:
    """The same question, put to the language model in words; its answer as it is written."""
    question = f"Is this film review positive or negative? Answer with one word.\n\nReview: {text}"
    written: list[Piece] = []
    messages = [{"role": "user", "content": question}]
    for token in language_model.stream(messages, max_tokens=40, alternatives=5):
        written.append(Piece(token.text, token.probability, token.alternatives))
        yield Tokens(tuple(written), key="asked", title="What the language model writes")
    yield Note(
        "The classifier can only ever answer with a number between negative and positive, and its "
        "accuracy is known. The language model was given the question in words and writes an "
        "answer, token by token: it is free to say anything, so it may explain itself, hedge, "
        "miss the question, or sound sure and be wrong. Predicting chooses among given answers; "
        "generating makes one up.",
        key="difference",
    )


DEMO = Demo(
    slug="sentiment",
    title="Is this review positive?",
    side="predict",
    topic="sentiment-analysis",
    summary=(
        "Type a film review: a classifier says whether it is positive or negative, how sure it is, "
        "and which words decided."
    ),
    phrases=(
        "is {text} (positive|negative|good or bad|positive or negative)",
        "is {text} a (positive|negative|good|bad|happy|sad) (review|text|sentence|comment)",
        "is (the|this) (review|sentence|text|comment) {text} (positive|negative|positive or negative)",
        "is this( review| text| sentence)? (positive|negative|positive or negative): {text}",
        "does {text} sound (positive|negative|positive or negative|good|bad)",
        "(would you say|do you think) {text} is (positive|negative)",
        "(check|tell me) (if|whether) {text} is (positive|negative|a happy review|good|bad)",
        "(classify|analyse|analyze|sentiment|review|judge|rate): {text}",
        "(classify|analyse|analyze|judge|rate|check|test) (this|the) (review|text|sentence|comment): {text}",
        "classify (this: |the review |the text ){text}",
        "classify {text} as positive or negative",
        "(classify|analyse|analyze) the (sentiment|feeling) (of|in) {text}",
        "(classify|analyse|analyze|judge) the (sentiment|feeling|mood): {text}",
        "(what is |what's )?the (sentiment|mood|feeling) (of|in) {text}",
        "what feeling is in {text}",
        "how (positive|negative) is {text}",
        "(positive or negative|good or bad|happy or sad|good or bad review): {text}",
        "* (good or bad|positive or negative|happy or sad): {text}",
        "* (feeling|mood|sentiment) of this (review|text|sentence): {text}",
        "(run|try) (the )?sentiment demo (on|with) {text}",
        "ask both sides: {text} [ask_language_model]",
        "ask both sides about {text} [ask_language_model]",
        "(try|open|show me) (the )?sentiment( analysis| demo)?",
        "* (sentiment|review|reviews) demo*",
        "try (the|a|my own|some) (review|* classifier)",
        "classify (a|some|my) review",
        "* demo * (review|reviews|sentiment|feeling|mood|opinion)*",
    ),
    cues=(
        "reviews?|sentiment|feeling|mood|comments?|feedback|positive|negative|(?:un)?happy|satisfied|pleased|angry|disappointed|"
        "good or (?:a )?bad|praise|complain\\w*|like it|liked it|enjoy\\w*",
    ),
    inputs=(
        Text(
            name="text",
            label="Review",
            help="A sentence or two about a film, in English.",
            default="what a waste of an evening",
            max_length=1000,
            lines=2,
        ),
        Choice(
            name="classifier",
            label="Way to tell",
            help="The words below are weighed by this one; the table shows all of them.",
            options=tuple(WAYS),
            default=TOGETHER,
        ),
        Toggle(
            name="ask_language_model",
            label="Ask the language model the same question",
            help="To compare predicting a label with writing an answer.",
        ),
    ),
    run=run,
    action="Read it",
    examples=(
        {"text": "not bad at all"},
        {"text": "The cast is wonderful, but the story is a mess."},
        {"text": "what a waste of an evening", "ask_language_model": True},
    ),
    credits=(
        "Film reviews rated by people and the VADER lexicon: Hutto & Gilbert (2014), MIT",
        "all-MiniLM-L6-v2 by the authors of sentence-transformers (Reimers & Gurevych, 2019), Apache-2.0",
    ),
    needs=("language_model",),
)
