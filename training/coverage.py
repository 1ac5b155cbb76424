"""Learn when to abstain: a logistic regression on how well the search fits, and its threshold.

    python -m training.coverage

reads the topics' own questions, each with itself left out of the library, and training/questions.yaml
(questions that the topics do not answer, and more that they do), writes
weights/coverage/coverage.safetensors and prints coverage against error over five folds. The
threshold is the one with the fewest wrong decisions, a wrong refusal counting half as much again as
a wrong answer: what is answered rests on a quoted passage, what is refused is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

import assets
from explainers.coverage import WEIGHTS, features
from explainers.intent import read_intent
from explainers.library import SHIPPED, Library, load_kept, open_encoder
from explainers.plan import subject_of
from explainers.topics import Topic, load_topics

QUESTIONS = Path(__file__).with_name("questions.yaml")
SEED = 0


def main() -> None:
    asked = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))
    topics = load_topics()
    own = [question for topic in topics.values() for question in topic.questions]
    covered = own + [one["ask"] for one in asked["covered"]]
    uncovered = [one["ask"] for one in asked["uncovered"]]
    library = _library(topics, covered + uncovered)
    rows = np.stack([_features(library, question) for question in covered + uncovered])  # [n, 392]
    labels = np.array([1] * len(covered) + [0] * len(uncovered))
    order = np.random.default_rng(SEED).permutation(len(labels))
    model = LogisticRegression(C=5.0, max_iter=3000, class_weight="balanced")
    probability = np.empty(len(labels))
    probability[order] = cross_val_predict(
        model, rows[order], labels[order], cv=5, method="predict_proba"
    )[:, 1]
    threshold = _choose(probability, labels)
    _report(probability, labels, threshold, covered + uncovered)
    model.fit(rows, labels)
    _write(model, threshold)


def _library(topics: dict[str, Topic], questions: list[str]) -> Library:
    """The library with all questions embedded at once, which is much faster than one by one."""
    encode = open_encoder(assets.path("minilm"))
    known = dict(zip(questions, encode(questions), strict=True))

    def remembered(texts: Sequence[str]) -> np.ndarray:
        return np.stack([known[text] if text in known else encode([text])[0] for text in texts])

    return Library(topics, remembered, load_kept(SHIPPED))


def _features(library: Library, question: str) -> np.ndarray:
    subject = read_intent(question).thing or subject_of(question)
    return features(library, question, subject, leave_out=question)


def _choose(probability: np.ndarray, labels: np.ndarray) -> float:
    grid = np.round(np.arange(0.05, 0.96, 0.01), 2)
    cost = [
        ((probability >= t)[labels == 0]).mean() + 1.5 * ((probability < t)[labels == 1]).mean()
        for t in grid
    ]
    return float(grid[int(np.argmin(cost))])


def _report(
    probability: np.ndarray, labels: np.ndarray, threshold: float, questions: list[str]
) -> None:
    print("| threshold | covered answered | uncovered declined |\n|---|---|---|")
    for t in sorted({0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, threshold}):
        answered, declined = (
            (probability >= t)[labels == 1].mean(),
            (probability < t)[labels == 0].mean(),
        )
        print(
            f"| {t:.2f}{' (chosen)' if t == threshold else ''} | {answered:.1%} | {declined:.1%} |"
        )
    for name, wrong in (("answered, but uncovered", (probability >= threshold) & (labels == 0)),
                        ("declined, but covered", (probability < threshold) & (labels == 1))):  # fmt: skip
        print(f"\n{name}:")
        for i in np.flatnonzero(wrong):
            print(f"  {probability[i]:.2f} {questions[i]}")


def _write(model: LogisticRegression, threshold: float) -> None:
    WEIGHTS.parent.mkdir(parents=True, exist_ok=True)
    numbers = {
        "weights": model.coef_[0],
        "bias": model.intercept_,
        "threshold": np.array([threshold]),
    }
    save_file(
        {name: np.ascontiguousarray(value, np.float32) for name, value in numbers.items()}, WEIGHTS
    )


if __name__ == "__main__":
    main()
