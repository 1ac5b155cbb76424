"""Does the library cover a question? A logistic regression on how well the search fits.

Trained by `python -m training.coverage` on questions that the topics answer and questions that
they do not; its weights and the threshold lie in weights/coverage/coverage.safetensors.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from explainers.grounding import content_words

if TYPE_CHECKING:
    import numpy as np

    from explainers.library import Library
    from explainers.ranking import Ranking
    from explainers.reading import Reader

WEIGHTS = Path(__file__).parents[1] / "weights" / "coverage" / "coverage.safetensors"
FIT = 2.0  # how much the figures of fit weigh beside the 384 of meaning; by cross validation

FAVOURED = 0.45  # share of the threshold that is enough for a question that names a topic
ASKS_SIDE = 0.15  # and for one that asks "ML or generative AI?": how to find out helps even for an unknown thing

# What changes by the day or is for sale is in no topic, however near the words are.
_NOT_OURS = re.compile(
    r"\b(?:newest|latest|this (?:week|month|morning)|right now|release date|stock price|share price|discount|download|"
    r"for sale|to buy|(?<!ai )should i buy|subscription|salary|best (?:laptop|gpu|phone|book|course|university|company|degree)|"
    r"how much (?:does|is|did) \w+(?: plus| pro)? cost)\b|\bwhich (?:company|bank|university|phone|laptop)\b|"
    r"(?:^|[,;]\s*|\b(?:you|please|and|to|now|just|then|me)\s+)(?:write|type out|type|fix|debug|give|implement|program|code up) "
    r"(?:me |us )?(?:an? |some |the |my |this )?(?:\w+ ){0,3}"
    r"(?:code|script|function|loop|query|regex)\b|"
    r"\bin (?:c|c\+\+|java|javascript|rust|sql|php)\b|\b(?:exact|secret) \w+ ?(?:formula|recipe)\b", re.I)  # fmt: skip


@dataclass(frozen=True)
class Coverage:
    """weights [402] and bias of the regression over `features`; below `threshold` the tutor abstains."""

    weights: np.ndarray
    bias: float
    threshold: float

    def probability(self, features: np.ndarray) -> float:
        """How likely the library covers the question, 0..1, from its features [402]."""
        return 1 / (1 + math.exp(-(float(features @ self.weights) + self.bias)))

    def uncovered(self, library: Library, ranking: Ranking, read: Reader, question: str, subject: str, *,
                  favour: float = 1.0) -> str:  # fmt: skip
        """Why the library does not answer `question`, which is about `subject`; empty if it does.

        favour: the share of the threshold that is enough, where something beside the search speaks for the question.
        """
        if changing := _NOT_OURS.search(question):
            return f"I have no news, prices, shopping advice or code (“{changing[0]}”)."
        least = self.threshold * favour
        likely = self.probability(features(library, ranking, read, question, subject))
        if likely >= least:
            return ""
        sure = f"I judge it {likely:.0%} likely that they answer this, and ask for {least:.0%}"
        return f"Nothing in my topics is near enough: {sure}."


def open_coverage(path: Path = WEIGHTS) -> Coverage:
    from safetensors.numpy import load_file

    kept = load_file(path)
    return Coverage(kept["weights"], float(kept["bias"][0]), float(kept["threshold"][0]))


def features(library: Library, ranking: Ranking, read: Reader, question: str, subject: str, *,
             leave_out: str = "") -> np.ndarray:  # fmt: skip
    """A question as [402] numbers: eighteen on how well the search fits, then its meaning [384].

    The eighteen: similarity in meaning to the nearest topic question, name (of the question's subject)
    and sentence; to the second and fifth best topic; in spelling; share of known words; unknown words;
    by the trained encoder, likeness to the nearest sentence, to the tenth, and to the nearest question
    of the bank; how sure the ranking is of its first sentence, that one's share of the question's words and
    spelling; the judge's word on three of the first; and the reader's on the question alone.
    leave_out: a text of the library, or of the bank, to look past, for training on it.
    """
    import numpy as np

    meaning, spelling = library.compare(question)
    if leave_out in library.texts:
        meaning[library.texts.index(leave_out)] = spelling[library.texts.index(leave_out)] = 0
    kinds = library.kinds
    by_topic = np.sort([meaning[rows].max() for rows in library.rows_by_topic.values()])[::-1]
    named = library.compare(subject or question)[0][
        (kinds == "name") | (kinds == "item_name")
    ].max()
    words = content_words(question)
    known = len(words & library.vocabulary)
    fit = np.array([
        meaning[kinds == "question"].max(), named, meaning[(kinds == "sentence") | (kinds == "item")].max(),
        by_topic[1], by_topic[4], spelling.max(), known / max(1, len(words)), min(4, len(words) - known) / 4,
        *ranking.fit(question, alone=bool(leave_out)), read(question).ours / 4,
    ])  # fmt: skip
    return np.concatenate([FIT * fit, library.embed([question])[0]])
