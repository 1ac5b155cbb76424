"""Teach the sentence encoder which sentences answer which questions.

    python -m training.encoder [--epochs 4]

all-MiniLM-L6-v2 puts texts with one meaning side by side; the tutor needs questions beside their
answers. On the `train` part of the question bank (training/tutor/bank) it learns with the loss of
multiple negatives (Henderson et al., 2017): a question against the sentences of its whole batch, its
own support being right and a sentence of the same topic being the hardest wrong one; and against
other questions, those with the same answer being right. Writes weights/encoder/adapter.safetensors
(LoRA) and prints how often the first sentence found is right, before and after.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch.nn.functional import normalize

import assets
from explainers.library import ADAPTER, open_encoder
from explainers.ranking import told
from explainers.topics import Topic, load_topics
from training.lora import Learner, save_adapter, with_lora
from training.tutor.bank import Example, read_bank, split

SEED, RANK, BATCH, RATE = 0, 16, 64, 5e-4
SCALE = 20.0  # cosines are multiplied by this before the softmax
TARGETS = ["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=4)
    wanted = parser.parse_args()
    random.seed(SEED)
    torch.manual_seed(SEED)
    topics = load_topics()
    parts = split([one for one in read_bank(topics) if one.support], topics, open_encoder(assets.path("minilm")))
    print({name: len(part) for name, part in parts.items()})
    encoder = Encoder()
    print(f"before: {found_first(encoder, parts['rank'], topics)}", flush=True)
    for epoch, loss in enumerate(train(encoder, parts["train"], topics, wanted.epochs), 1):
        print(f"epoch {epoch}: loss {loss:.3f}, {found_first(encoder, parts['rank'], topics)}", flush=True)
        save_adapter(encoder.model, ADAPTER)
    print(f"test: {found_first(encoder, parts['test'], topics)}")


class Encoder:
    """MiniLM with adapters that can learn: texts -> [n, 384], rows of length 1."""

    def __init__(self) -> None:
        from transformers import AutoModel, AutoTokenizer

        folder = assets.path("minilm")
        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.model = with_lora(AutoModel.from_pretrained(folder, local_files_only=True), TARGETS, rank=RANK)

    def __call__(self, texts: Sequence[str]) -> torch.Tensor:
        batch = self.tokenizer(list(texts), padding=True, truncation=True, max_length=128, return_tensors="pt")
        with torch.autocast("cpu", dtype=torch.bfloat16):
            states = self.model(**batch).last_hidden_state.float()  # [n, tokens, 384]
        mask = batch["attention_mask"][..., None]
        return normalize((states * mask).sum(1) / mask.sum(1), dim=1)

    @torch.inference_mode()
    def many(self, texts: Sequence[str]) -> torch.Tensor:
        """As above, for measuring."""
        self.model.eval()
        return torch.cat([self(texts[start : start + 128]) for start in range(0, len(texts), 128)])


def train(encoder: Encoder, examples: Sequence[Example], topics: Mapping[str, Topic], epochs: int) -> Iterator[float]:
    """The mean loss of each epoch. The rate rises for a tenth of the steps, then falls to nothing."""
    learner = Learner(encoder.model, RATE, epochs * (len(examples) // BATCH))
    sentences = {slug: [s for p in topic.passages for s in p.sentences] for slug, topic in topics.items()}
    for _ in range(epochs):
        encoder.model.eval()  # no dropout: its random numbers take half of the time on a CPU
        begun, losses = time.perf_counter(), []
        order = random.sample(examples, len(examples))
        for start in range(0, len(order) - BATCH + 1, BATCH):
            losses.append(learner.step(batch_loss(encoder, order[start : start + BATCH], topics, sentences)))
        print(f"{time.perf_counter() - begun:.0f} s", end=" ")
        yield float(np.mean(losses))


def batch_loss(encoder: Encoder, batch: Sequence[Example], topics: Mapping[str, Topic],
               sentences: Mapping[str, list[str]]) -> torch.Tensor:  # fmt: skip
    """Cross entropy of each question over the batch's sentences, and over its other questions."""
    right = [random.choices(one.support, weights=[2] + [1] * (len(one.support) - 1))[0] for one in batch]
    wrong = [(one.support[0][0], random.choice(sentences[one.support[0][0]])) for one in batch]
    offered = list(dict.fromkeys([*right, *wrong]))
    questions = encoder([one.asked(topics) for one in batch])  # [b, 384]
    answers = encoder([told(topics[pair[0]], pair[1]) for pair in offered])  # [n, 384]
    chosen = torch.tensor([offered.index(pair) for pair in right])
    also_right = torch.tensor([[pair in one.support and i != c for i, pair in enumerate(offered)]
                               for one, c in zip(batch, chosen.tolist(), strict=True)])  # fmt: skip
    scores = (SCALE * questions @ answers.T).masked_fill(also_right, -1e4)
    loss = torch.nn.functional.cross_entropy(scores, chosen)
    return loss + 0.5 * _same_answer(questions, batch)


def _same_answer(questions: torch.Tensor, batch: Sequence[Example]) -> torch.Tensor:
    """Questions whose first sentence is the same belong together (supervised contrast; Khosla et al., 2020)."""
    same = torch.tensor([[a.support[0] == b.support[0] and a is not b for b in batch] for a in batch])
    if not same.any():
        return questions.new_zeros(())
    scores = (SCALE * questions @ questions.T).fill_diagonal_(-1e4).log_softmax(1)
    return -(scores * same).sum(1)[same.any(1)].div(same.sum(1)[same.any(1)]).mean()


def found_first(encoder: Encoder, examples: Sequence[Example], topics: Mapping[str, Topic]) -> str:
    """How often the nearest of all sentences is one of the support, and is in the right topic."""
    places = ((slug, s) for slug, topic in topics.items() for p in topic.passages for s in p.sentences)
    everything = list(dict.fromkeys(places))
    answers = encoder.many([told(topics[pair[0]], pair[1]) for pair in everything])
    ranked = (encoder.many([one.asked(topics) for one in examples]) @ answers.T).topk(3, dim=1).indices.tolist()
    found = [[everything[i] for i in row] for row in ranked]
    pairs = list(zip(examples, found, strict=True))
    first = np.mean([three[0] in one.support for one, three in pairs])
    among = np.mean([bool(set(three) & set(one.support)) for one, three in pairs])
    topic = np.mean([three[0][0] in {slug for slug, _ in one.support} for one, three in pairs])
    return f"right sentence first {first:.1%}, in three {among:.1%}, right topic {topic:.1%}"


if __name__ == "__main__":
    main()
