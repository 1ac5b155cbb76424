"""Learn when to abstain: a logistic regression on how well the search fits, and its threshold.

    python -m training.coverage

after training/reranker.py and training/reading.py. Reads training/questions.yaml and the question bank: its part `rank`, and
those to decline that judge and reader did not learn on; writes
weights/coverage/coverage.safetensors and prints coverage against error over five folds, the
curve from which THRESHOLD was taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import yaml
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

import assets
from explainers.coverage import WEIGHTS, features
from explainers.intent import read_intent
from explainers.library import SHIPPED, Library, load_kept, open_readers
from explainers.plan import subject_of
from explainers.ranking import Ranking, open_ranking
from explainers.reading import Reader
from explainers.topics import load_topics
from training.ranking import asked_of, remembering
from training.reranker import TAUGHT, share_of
from training.tutor.bank import Example, read_bank, split

QUESTIONS = Path(__file__).with_name("questions.yaml")
SEED = 0
THRESHOLD = 0.4  # from the curve below: 97.5% of the covered are answered, 94.9% of the others declined


def main() -> None:
    topics = load_topics()
    plain, trained, judge, read = open_readers(assets.path("minilm"))
    parts = split([one for one in read_bank(topics) if one.support], topics, plain)
    covered, uncovered, unseen = _questions(parts, [one for one in read_bank(topics) if not one.support])
    library = Library(topics, remembering(plain, covered + uncovered + unseen), load_kept(SHIPPED))
    known = asked_of(parts["train"], topics, trained)
    ranking = open_ranking(library, remembering(trained, covered + uncovered + unseen), judge, known)
    rows = np.stack([_features(library, ranking, read, question) for question in covered + uncovered])  # [n, 402]
    labels = np.array([1] * len(covered) + [0] * len(uncovered))
    order = np.random.default_rng(SEED).permutation(len(labels))
    model = LogisticRegression(C=5.0, max_iter=3000, class_weight="balanced")
    probability = np.empty(len(labels))
    probability[order] = cross_val_predict(
        model, rows[order], labels[order], cv=5, method="predict_proba"
    )[:, 1]
    _report(probability, labels, covered + uncovered)
    model.fit(rows, labels)
    fresh = np.stack([_features(library, ranking, read, question) for question in unseen])
    answered = model.predict_proba(fresh)[:, 1] >= THRESHOLD
    print(f"\nOf {len(unseen)} covered questions of the bank's `test`, unseen: {answered.mean():.1%} answered.")
    _write(model)


def _questions(parts: Mapping[str, Sequence[Example]], nothing: Sequence[Example]) -> tuple[list[str], list[str], list[str]]:
    """Questions to answer, to decline, and to answer but kept for measuring; none that encoder or judge learned on."""
    asked = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))
    rank, test = ([one.question for one in parts[name] if len(one.turns) == 1 and one.kind != "which_side"]
                  for name in ("rank", "test"))  # fmt: skip
    declined = [one.question for one in nothing if len(one.turns) == 1 and share_of(one) >= TAUGHT]
    return [one["ask"] for one in asked["covered"]] + rank, [one["ask"] for one in asked["uncovered"]] + declined, test


def _features(library: Library, ranking: Ranking, read: Reader, question: str) -> np.ndarray:
    subject = read_intent(question).thing or subject_of(question)
    return features(library, ranking, read, question, subject, leave_out=question)


def _report(
    probability: np.ndarray, labels: np.ndarray, questions: list[str]
) -> None:
    print("| threshold | covered answered | uncovered declined |\n|---|---|---|")
    for t in sorted({0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, THRESHOLD}):
        answered, declined = (
            (probability >= t)[labels == 1].mean(),
            (probability < t)[labels == 0].mean(),
        )
        print(
            f"| {t:.2f}{' (chosen)' if t == THRESHOLD else ''} | {answered:.1%} | {declined:.1%} |"
        )
    for name, wrong in (("answered, but uncovered", (probability >= THRESHOLD) & (labels == 0)),
                        ("declined, but covered", (probability < THRESHOLD) & (labels == 1))):  # fmt: skip
        print(f"\n{name}:")
        for i in np.flatnonzero(wrong):
            print(f"  {probability[i]:.2f} {questions[i]}")


def _write(model: LogisticRegression) -> None:
    WEIGHTS.parent.mkdir(parents=True, exist_ok=True)
    numbers = {
        "weights": model.coef_[0],
        "bias": model.intercept_,
        "threshold": np.array([THRESHOLD]),
    }
    save_file(
        {name: np.ascontiguousarray(value, np.float32) for name, value in numbers.items()}, WEIGHTS
    )


if __name__ == "__main__":
    main()
