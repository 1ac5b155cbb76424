"""What to say after the first sentence: not the next best answer, but the best one to go on with.

A linear model over how likely a sentence is by the ranking, and how it lies to the first one: beside it in its
passage, in its topic, alike or not. Trained by `python -m training.continuing` on the bank's answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from explainers.library import Found, Library

if TYPE_CHECKING:
    import numpy as np

WEIGHTS = Path(__file__).parents[1] / "weights" / "encoder" / "continuing.safetensors"
NAMES = ("likely", "rank", "topic", "passage", "next", "after next", "before", "alike", "very alike", "short", "item", "example")


def candidates(first: Found, ranked: Sequence[Found]) -> tuple[Found, ...]:
    """The ranked sentences, and those of the first one's passage that are not among them, without the first."""
    known = {one.text for one in ranked} | {first.text}
    own = (Found(text, first.passage, 0.0) for text in first.passage.sentences if text not in known and not first.passage.names)
    return tuple(one for one in (*ranked, *own) if one.text != first.text)


def features(library: Library, first: Found, others: Sequence[Found]) -> np.ndarray:
    """[others, features], in the order of NAMES."""
    import numpy as np

    alike = library.embed([one.text for one in others]) @ library.embed([first.text])[0]
    rows = []
    for rank, (one, likeness) in enumerate(zip(others, alike.tolist(), strict=True)):
        same = one.passage == first.passage
        step = one.passage.sentences.index(one.text) - first.passage.sentences.index(first.text) if same else 0
        rows.append([
            np.log(max(one.score, 1e-4)), 1 / (rank + 1), one.passage.topic == first.passage.topic, same, step == 1, step == 2,
            step == -1, likeness, likeness > 0.8, one.passage.section == "In short", bool(one.passage.names),
            one.passage.section == "Example",
        ])  # fmt: skip
    return np.array(rows, "float32").reshape(-1, len(NAMES))


def in_order(library: Library, first: Found, ranked: Sequence[Found], weights: np.ndarray) -> tuple[Found, ...]:
    """What to go on with after `first`, best first."""
    others = candidates(first, ranked)
    if not others:
        return ()
    scores = features(library, first, others) @ weights
    return tuple(others[i] for i in (-scores).argsort(kind="stable"))


def open_weights() -> np.ndarray:
    from safetensors.numpy import load_file

    return load_file(WEIGHTS)["weights"]
