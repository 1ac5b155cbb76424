"""Does a question belong to our subject, and which side does what it speaks of need? A network reads it alone.

The search says how well sentences fit; whether "a stochastic marmalade encoder" exists, or whether "VAT on an
invoice" needs a learned model, no sentence says. It is MiniLM with an adapter of its own and one linear
layer, trained by `python -m training.reading`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

FOLDER = Path(__file__).parents[1] / "weights" / "reading"
ADAPTER, HEADS = FOLDER / "adapter.safetensors", FOLDER / "heads.safetensors"
GROUPS = ("predict", "create", "both", "neither")
LONGEST = 64  # tokens; what is over is cut


@dataclass(frozen=True)
class Read:
    """What was read out of a question.

    ours: how surely it belongs to our subject; above 0 for "yes", log odds.
    sides: the probability of each of GROUPS for the thing or the goal that it speaks of; what is missing to 1 is the
        probability that it speaks of none.
    """

    ours: float
    sides: Mapping[str, float]


Reader = Callable[[str], Read]


def open_reader(tokenizer: Any, minilm: Any) -> Reader:
    """The trained network; it shares the weights of `minilm`."""
    from safetensors.numpy import load_file

    from assets.adapter import adapted, read_adapter

    return reader(tokenizer, adapted(minilm, read_adapter(ADAPTER)), load_file(HEADS))


def reader(tokenizer: Any, model: Any, heads: Mapping[str, np.ndarray]) -> Reader:
    """The function from a question to what was read out of it; it remembers the last ones."""
    import torch

    weights, bias = torch.from_numpy(heads["weights"]), torch.from_numpy(heads["bias"])  # [6, 384], [6]; ours, GROUPS, none

    @functools.lru_cache(maxsize=64)
    @torch.inference_mode()
    def read(question: str) -> Read:
        batch = tokenizer([question], truncation=True, max_length=LONGEST, return_tensors="pt")
        scores = weights @ model(**batch).last_hidden_state[0].mean(0) + bias
        return Read(float(scores[0]), dict(zip(GROUPS, scores[1:].softmax(0).tolist(), strict=False)))

    return read
