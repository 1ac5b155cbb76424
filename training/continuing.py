"""Learn what to say after the first sentence of an answer.

    python -m training.continuing

After training/reranker.py. From the bank's answers of two sentences and more, given the first: which of the
ranked sentences, and of the first one's passage, come next? A logistic regression on the bank's part `rank`;
writes weights/encoder/continuing.safetensors and prints, for the part `test`, how often the next sentence
is one of the bank's answer, against the ranking's own order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression

import assets
from explainers.continuing import NAMES, WEIGHTS, candidates, features
from explainers.intent import read_intent
from explainers.library import SHIPPED, Found, Library, load_kept, open_readers
from explainers.plan import LOOKED_AT
from explainers.ranking import Ranking, open_ranking
from explainers.topics import load_topics
from training.ranking import about, asked_of, remembering
from training.tutor.bank import Example, read_bank, split


def main() -> None:
    topics = load_topics()
    plain, trained, judge, _ = open_readers(assets.path("minilm"))
    parts = split([one for one in read_bank(topics) if one.support], topics, plain)
    longer = {name: [one for one in parts[name] if len(one.support) > 1] for name in ("rank", "test")}
    asked = [text for part in longer.values() for one in part for text in (one.question, one.asked(topics))]
    library = Library(topics, remembering(plain, asked), load_kept(SHIPPED))
    encode = remembering(trained, asked)
    ranking = open_ranking(library, encode, judge, asked_of(parts["train"], topics, encode))
    rows = {name: [rows_of(library, ranking, one) for one in part] for name, part in longer.items()}
    taught = [pair for pair in rows["rank"] if pair[1].any()]
    model = LogisticRegression(C=1.0, max_iter=2000)
    model.fit(np.concatenate([x for x, _ in taught]), np.concatenate([y for _, y in taught]))
    weights = model.coef_[0].astype("float32")
    print({name: round(float(value), 2) for name, value in zip(NAMES, weights, strict=True)})
    report(rows["test"], weights)
    save_file({"weights": weights}, WEIGHTS)


def rows_of(library: Library, ranking: Ranking, one: Example) -> tuple[np.ndarray, np.ndarray]:
    """The candidates after the answer's first sentence, and which of them the answer goes on with."""
    first = first_of(ranking, one)
    ranked = ranking.rank(one.question, read_intent(one.question).kind, about(one), keep=LOOKED_AT)
    others = candidates(first, ranked)
    goes_on = [(other.passage.topic, other.text) in one.support[1:] for other in others]
    return features(library, first, others), np.array(goes_on)


def first_of(ranking: Ranking, one: Example) -> Found:
    place = next((text, passage) for text, passage in ranking.places if (passage.topic, text) == one.support[0])
    return Found(*place, 1.0)


def report(rows: Sequence[tuple[np.ndarray, np.ndarray]], weights: np.ndarray) -> None:
    ways: Mapping[str, np.ndarray] = {"the ranking's order": np.eye(len(NAMES))[1], "what ships": weights}
    print(f"| After the first sentence, {len(rows)} answers | the next is right | one of the next two |\n|---|--:|--:|")
    for name, way in ways.items():
        order = [y[(-(x @ way)).argsort(kind="stable")] for x, y in rows]
        print(f"| {name} | {np.mean([y[:1].any() for y in order]):.1%} | {np.mean([y[:2].any() for y in order]):.1%} |")


if __name__ == "__main__":
    main()
