"""Does a sentence answer a question? A small cross-encoder reads both together.

Two vectors made apart cannot see which word of the question speaks to which of the sentence; a
network that reads the pair can (Nogueira & Cho, 2019). It is MiniLM with an adapter of its own and
one linear layer, trained by `python -m training.reranker`, and looks at the few sentences that the
ranking puts first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

FOLDER = Path(__file__).parents[1] / "weights" / "reranker"
ADAPTER, HEAD = FOLDER / "adapter.safetensors", FOLDER / "head.safetensors"
LONGEST = 128  # tokens of a pair; what is over is cut
TOGETHER = 12  # pairs of like length go through the network together

Judge = Callable[[str, Sequence[str]], "np.ndarray"]  # a question, n sentences -> [n] scores, above 0 for "answers it"


def open_judge(tokenizer: Any, minilm: Any) -> Judge:
    """The trained cross-encoder; it shares the weights of `minilm`."""
    from safetensors.numpy import load_file

    from assets.adapter import adapted, read_adapter

    return judge(tokenizer, adapted(minilm, read_adapter(ADAPTER)), load_file(HEAD))


def judge(tokenizer: Any, model: Any, head: Mapping[str, np.ndarray]) -> Judge:
    """The function from a question and sentences to scores; in bfloat16 where the machine is faster with that."""
    import numpy as np
    import torch

    weights, bias = torch.from_numpy(head["weights"]), float(head["bias"][0])  # [384], one number

    @torch.inference_mode()
    def some(question: str, sentences: Sequence[str], short: bool) -> torch.Tensor:
        batch = tokenizer([question] * len(sentences), list(sentences), padding=True, truncation=True,
                          max_length=LONGEST, return_tensors="pt")  # fmt: skip
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=short):
            states = model(**batch).last_hidden_state.float()  # [n, tokens, 384]
        mask = batch["attention_mask"][..., None]
        return (states * mask).sum(1) / mask.sum(1) @ weights + bias

    def seconds(short: bool) -> float:
        begun = time.perf_counter()
        some("Which number format is faster here?", ["A sentence of some length, which says little."] * TOGETHER, short)
        return time.perf_counter() - begun

    for warm in (True, False):
        seconds(warm)
    short = seconds(True) < seconds(False)

    def scores(question: str, sentences: Sequence[str]) -> np.ndarray:
        order = sorted(range(len(sentences)), key=lambda i: len(sentences[i]))
        found = np.empty(len(sentences), "float32")
        for start in range(0, len(order), TOGETHER):
            rows = order[start : start + TOGETHER]
            found[rows] = some(question, [sentences[i] for i in rows], short).numpy()
        return found

    return scores
