"""Teach a small network to read a question: does it belong to our subject, and which side does it need?

    python -m training.reading [--epochs 3]

After training/encoder.py, with whose adapter it begins. On the question bank it learns which questions the
topics answer and which to decline; on the bank's everyday things, their names, and the things and goals of
training/tutor/*.tsv, which side they stand on. Writes weights/reading/{adapter,heads}.safetensors and prints how it
does on the bank's part `test`, on questions to decline, goals and described things that it never saw.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

import assets
from explainers.intent import sides_in
from explainers.library import ADAPTER as ENCODER
from explainers.library import open_encoder
from explainers.reading import ADAPTER, GROUPS, HEADS, LONGEST
from explainers.topics import Passage, Topic, load_topics
from training.encoder import RANK, TARGETS
from training.lora import Learner, load_adapter, save_adapter, with_lora
from training.reranker import TAUGHT, share_of
from training.tutor.bank import Example, read_bank, split

FOLDER = Path(__file__).parent / "tutor"
THINGS, GOALS, DESCRIBED = (FOLDER / f"{name}.tsv" for name in ("things", "goals", "described"))
FRAMES = ("Is {} ML or generative AI?", "{}: predict or create?", "is {} generative AI", "does {} use AI at all?",
          "which side is {} on?", "{}, is that gen AI?", "what kind of AI is behind {}?")  # fmt: skip
SEED, BATCH, RATE = 0, 48, 8e-4
MISSPELT = 0.15  # share of the texts that it sees with slips of the keyboard
HELD = 0.1  # share of the goals and described things to measure on
UNKNOWN, NONE = -1, len(GROUPS)
ABSTRACT = frozenset("definition how why comparison fact misconception example".split())  # kinds that speak of no thing to judge
SMOOTH = 0.05  # of a side's label: at borders experts differ


@dataclass(frozen=True)
class Asked:
    """A text with what is to be read out of it. ours: 1 yes, 0 no, UNKNOWN; side: a row of GROUPS, NONE or UNKNOWN."""

    text: str
    ours: int
    side: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=3)
    wanted = parser.parse_args()
    random.seed(SEED)
    torch.manual_seed(SEED)
    taught, held = data()
    print(len(taught), {name: len(some) for name, some in held.items()}, flush=True)
    network = Network()
    for epoch, loss in enumerate(train(network, taught, wanted.epochs), 1):
        print(f"epoch {epoch}: loss {loss:.3f}", flush=True)
        network.save()
        report(network, held)


def data() -> tuple[list[Asked], dict[str, list[Asked]]]:
    """What is taught, and by name what is only measured on.

    A question that leans on what was said comes with its topic's title in front, as the tutor asks it; so that
    the title alone speaks for nothing, those to decline come with any title too.
    """
    topics = load_topics()
    bank = read_bank(topics)
    parts = split([one for one in bank if one.support], topics, open_encoder(assets.path("minilm")))
    nothing = [one for one in bank if not one.support and (len(one.turns) == 1 or len(one.question.split()) > 3)]
    sides = {text: passage.side for passage in _items(topics) for text in passage.sentences}
    goals, described = (split_off(read_sides(path)) for path in (GOALS, DESCRIBED))
    taught = [_asked(one, sides) for one in parts["train"] if len(one.turns) == 1]
    taught += [Asked(one.asked(topics), 1, UNKNOWN) for one in parts["train"] if len(one.turns) > 1]
    declined = [one.question for one in nothing if share_of(one) < TAUGHT]
    titles = random.choices([topic.title for topic in topics.values()], k=len(declined))
    taught += [Asked(text, 0, NONE) for text in declined]
    taught += [Asked(f"{title}: {text}", 0, NONE) for title, text in zip(titles, declined, strict=True)]
    names = [(name, passage.side) for passage in _items(topics) for name in passage.names]
    taught += [of_side(*one) for one in (*names, *read_things(), *goals[1], *described[1])]
    held = {"covered": [_asked(one, sides) for one in parts["test"] if len(one.turns) == 1],
            "to decline": [Asked(one.question, 0, NONE) for one in nothing if share_of(one) >= TAUGHT],
            "goals": [of_side(*one) for one in goals[0]],
            "described things": [of_side(*one) for one in described[0]]}  # fmt: skip
    return taught, held


def _items(topics: Mapping[str, Topic]) -> list[Passage]:
    return [passage for topic in topics.values() for passage in topic.passages if passage.names]


def _asked(one: Example, sides: Mapping[str, str]) -> Asked:
    side = sides.get(one.support[0][1])
    return Asked(one.question, 1, GROUPS.index(side) if side else NONE if one.kind in ABSTRACT else UNKNOWN)


def of_side(text: str, side: str) -> Asked:
    """A thing or goal; ours if the text asks "ML or generative AI?", else who knows what it asks."""
    return Asked(text, 1 if sides_in(text)[1] else UNKNOWN, GROUPS.index(side))


def read_sides(path: Path) -> list[tuple[str, str]]:
    """Texts with their side, from a file with lines of side, tab, text; shuffled."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    return [(rows[i][1], rows[i][0]) for i in np.random.default_rng(SEED).permutation(len(rows))]


def read_things(path: Path = THINGS) -> list[tuple[str, str]]:
    """Things that stand in no topic, each bare and in a question, with their sides."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    framed = [(FRAMES[i % len(FRAMES)].format(thing), side) for i, (side, thing) in enumerate(rows)]
    return framed + [(thing, side) for side, thing in rows]


def split_off(rows: Sequence[tuple[str, str]]) -> tuple[Sequence[tuple[str, str]], Sequence[tuple[str, str]]]:
    """What is held back, and the rest."""
    cut = int(HELD * len(rows))
    return rows[:cut], rows[cut:]


class Network(torch.nn.Module):
    """MiniLM with adapters that can learn, and a linear layer: texts -> [n, 6], ours, the four sides, none of them."""

    def __init__(self) -> None:
        super().__init__()
        from transformers import AutoModel, AutoTokenizer

        folder = assets.path("minilm")
        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.model = with_lora(AutoModel.from_pretrained(folder, local_files_only=True), TARGETS, rank=RANK)
        load_adapter(self.model, ENCODER)
        self.heads = torch.nn.Linear(384, 2 + len(GROUPS))
        self.eval()  # no dropout: its random numbers take half of the time on a CPU

    def forward(self, texts: Sequence[str]) -> torch.Tensor:
        batch = self.tokenizer(list(texts), padding=True, truncation=True, max_length=LONGEST, return_tensors="pt")
        with torch.autocast("cpu", dtype=torch.bfloat16):
            states = self.model(**batch).last_hidden_state.float()  # [n, tokens, 384]
        mask = batch["attention_mask"][..., None]
        return self.heads((states * mask).sum(1) / mask.sum(1))

    @torch.inference_mode()
    def many(self, texts: Sequence[str]) -> torch.Tensor:
        """As above, for measuring."""
        return torch.cat([self(texts[start : start + 128]) for start in range(0, len(texts), 128)])

    def save(self) -> None:
        save_adapter(self.model, ADAPTER)
        save_file({"weights": self.heads.weight.detach().clone(), "bias": self.heads.bias.detach().clone()}, HEADS)


def train(network: Network, taught: Sequence[Asked], epochs: int) -> Iterator[float]:
    """The mean loss of each epoch."""
    learner = Learner(network, RATE, epochs * (len(taught) // BATCH))
    weights = _weights(taught)
    for _ in range(epochs):
        begun, losses = time.perf_counter(), []
        for batch in batches(taught):
            scores = network([misspelt(one.text) if random.random() < MISSPELT else one.text for one in batch])
            losses.append(learner.step(loss_of(scores, batch, weights)))
        print(f"{time.perf_counter() - begun:.0f} s", end=" ")
        yield float(np.mean(losses))


def misspelt(text: str) -> str:
    """With one slip of the keyboard in every third word or so: a letter is left out, doubled, or changes place."""
    words = text.split(" ")
    for i, word in enumerate(words):
        if len(word) > 3 and word.isalpha() and random.random() < 0.35:
            at = random.randrange(1, len(word) - 1)
            end = (word[at + 1 :], word[at] * 2 + word[at + 1 :], word[at + 1] + word[at] + word[at + 2 :])
            words[i] = word[:at] + random.choice(end)
    return " ".join(words)


def batches(taught: Sequence[Asked]) -> list[list[Asked]]:
    """All in batches of about one length, so that little is padded, in random order."""
    order = sorted(taught, key=lambda one: len(one.text) + 20 * random.random())
    found = [order[start : start + BATCH] for start in range(0, len(order) - BATCH + 1, BATCH)]
    return random.sample(found, len(found))


def _weights(taught: Sequence[Asked]) -> tuple[float, torch.Tensor]:
    """What a question to decline counts, half of all covered ones together; and each side, that all count alike."""
    covered, declined = (sum(one.ours == ours for one in taught) for ours in (1, 0))
    counts = np.bincount([one.side for one in taught if one.side != UNKNOWN], minlength=NONE + 1)
    return covered / declined / 2, torch.tensor(counts.sum() / len(counts) / counts, dtype=torch.float32)


def loss_of(scores: torch.Tensor, batch: Sequence[Asked], weights: tuple[float, torch.Tensor]) -> torch.Tensor:
    """Cross entropy of what is known of each text."""
    ours, side = (torch.tensor([getattr(one, name) for one in batch]) for name in ("ours", "side"))
    loss = scores.new_zeros(())
    if (known := ours != UNKNOWN).any():
        true = ours[known].float()
        counts = torch.where(true > 0, 1.0, weights[0])
        loss = loss + binary_cross_entropy_with_logits(scores[known, 0], true, weight=counts)
    if (known := side != UNKNOWN).any():
        loss_of_sides = cross_entropy(scores[known, 1:], side[known], weight=weights[1], label_smoothing=SMOOTH)
        loss = loss + loss_of_sides * known.float().mean()
    return loss


def report(network: Network, held: Mapping[str, Sequence[Asked]]) -> None:
    """How many to decline stay below what nearly all covered ones reach; how often a side is right, by how sure it is."""
    covered, others = (network.many([one.text for one in held[name]])[:, 0].numpy()
                       for name in ("covered", "to decline"))  # fmt: skip
    for lost in (0.01, 0.02, 0.03, 0.05):
        declined = (others < np.quantile(covered, lost)).mean()
        print(f"{1 - lost:.0%} of {len(covered)} covered, {declined:.1%} of {len(others)} to decline")
    for name in ("covered", "goals", "described things"):
        known = [one for one in held[name] if one.side not in (UNKNOWN, NONE)]
        share = network.many([one.text for one in known])[:, 1:].softmax(1).numpy()
        right = share.argmax(1) == np.array([one.side for one in known])
        print(f"{len(known)} {name}:", "; ".join(
            f"{(sure := share.max(1) >= least).mean():.0%} at least {least:.0%} sure, right for {right[sure].mean():.0%}"
            for least in (0.0, 0.5, 0.7, 0.9)))  # fmt: skip


if __name__ == "__main__":
    main()
