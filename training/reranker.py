"""Teach a small cross-encoder to judge whether a sentence answers a question.

    python -m training.reranker [--epochs 2] [--further]

After training/ranking.py, whose best sentences it learns to tell apart: MiniLM with LoRA reads each
question of the bank's part `train` beside its own sentences and beside wrong ones that the ranking
takes for good, and questions to decline, where every sentence is wrong. The loss is a cross entropy
over the sentences of a question, and one over each pair. Then the weight of its word beside the
ranking's is fitted on the part `rank`. Writes weights/reranker/{adapter,head}.safetensors and
prints what it changes on the part `test`, and on questions to decline that it never saw.
Resumes from training/work/reranker.pt. With --further it begins with the judge that ships, at half the
rate: one epoch is enough when the bank has grown.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from torch.nn import functional

import assets
from explainers.intent import read_intent
from explainers.library import SHIPPED, Library, load_kept, open_encoders
from explainers.ranking import JUDGED, Ranking, open_ranking
from explainers.reranker import ADAPTER, HEAD, LONGEST
from explainers.topics import Topic, load_topics
from training.lora import Learner, load_adapter, save_adapter, with_lora
from training.ranking import about, asked_of, remembering, targets
from training.tutor.bank import Example, read_bank, split

SEED, RANK, RATE = 0, 32, 6e-4
BATCH, OFFERED, HARD = 16, 7, 24  # questions in a step; sentences with each, the wrong ones drawn from so many
TOGETHER = 28  # pairs of like length go through the network together, so that little is padded
TAUGHT = 0.67  # share of the questions to decline that it learns on
TARGETS = ["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"]
WORK = Path(__file__).parent / "work" / "reranker.pt"


@dataclass(frozen=True)
class Task:
    """A question as the judge reads it, the share of each right sentence, and the likeliest wrong ones; by row.

    scores: what the ranking gives the first JUDGED sentences, `rows`.
    """

    question: str
    right: Mapping[int, float]
    wrong: tuple[int, ...]
    rows: np.ndarray
    scores: np.ndarray


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--further", action="store_true")
    wanted = parser.parse_args()
    random.seed(SEED)
    np.random.seed(SEED)
    torch.manual_seed(SEED)
    texts, tasks = prepared()
    print({name: len(part) for name, part in tasks.items()}, flush=True)
    judge = CrossEncoder()
    if wanted.further:
        judge.take_up(ADAPTER, HEAD)
    rate = RATE / 2 if wanted.further else RATE
    for epoch, loss in train(judge, texts, [*tasks["train"], *tasks["declined"]], wanted.epochs, rate):
        save_adapter(judge.model, ADAPTER)
        print(f"epoch {epoch}: loss {loss:.3f}", flush=True)
    weight = best_weight([(task, judge.scores(task, texts)) for task in tasks["rank"]])
    head = {"weights": judge.head.weight[0], "bias": judge.head.bias}
    head = {name: value.detach().numpy() for name, value in head.items()} | {"weight": np.array([weight], "float32")}
    save_file({name: np.ascontiguousarray(value) for name, value in head.items()}, HEAD)
    WORK.unlink()  # the next training begins anew, with what the bank holds then
    report(judge, texts, tasks, weight)


def prepared() -> tuple[list[str], dict[str, list[Task]]]:
    """The sentences, and the tasks of the bank's parts; `declined` to learn on and `unseen` to measure on."""
    topics = load_topics()
    plain, trained = open_encoders(assets.path("minilm"))
    bank = [one for one in read_bank(topics) if one.support or len(one.turns) == 1]
    parts = split([one for one in bank if one.support], topics, plain)
    nothing = [one for one in bank if not one.support]
    parts["declined"] = [one for one in nothing if share_of(one) < TAUGHT]
    parts["unseen"] = [one for one in nothing if share_of(one) >= TAUGHT]
    asked = [text for part in parts.values() for one in part for text in (one.question, one.asked(topics))]
    asked = list(dict.fromkeys(asked))
    library = Library(topics, remembering(plain, asked), load_kept(SHIPPED))
    encode = remembering(trained, asked)
    ranking = open_ranking(library, encode, asked=asked_of([*parts["train"], *parts["rank"]], topics, encode))
    return ranking.texts, {name: [task_of(ranking, one, topics) for one in part] for name, part in parts.items()}


def share_of(one: Example) -> float:
    """A number from 0 to 1 by the question's hash."""
    return hashlib.sha256(one.question.encode()).digest()[1] / 256


def task_of(ranking: Ranking, one: Example, topics: Mapping[str, Topic]) -> Task:
    """A question with the ranking's best sentences, found without the bank's own copy of the question."""
    share = targets(ranking, one) if one.support else np.zeros(len(ranking.places), "float32")
    kind = read_intent(one.question).kind
    scores = ranking.network.scores(ranking.features(one.question, kind, about(one), alone=True))
    order = (-scores).argsort()
    wrong = tuple(int(row) for row in order[: HARD + 4] if not share[row])[:HARD]
    right = {int(row): float(share[row]) for row in np.flatnonzero(share)}
    return Task(one.asked(topics), right, wrong, order[:JUDGED], scores[order[:JUDGED]])


class CrossEncoder(torch.nn.Module):
    """MiniLM with adapters that can learn, and one linear layer: pairs (question, sentence) -> one score each."""

    def __init__(self) -> None:
        super().__init__()
        from transformers import AutoModel, AutoTokenizer

        folder = assets.path("minilm")
        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.model = with_lora(AutoModel.from_pretrained(folder, local_files_only=True), TARGETS, rank=RANK)
        self.head = torch.nn.Linear(384, 1)
        self.eval()  # no dropout: its random numbers take half of the time on a CPU

    def take_up(self, adapter: Path, head: Path) -> None:
        """Go on from a judge that was trained before."""
        load_adapter(self.model, adapter)
        kept = load_file(head)
        self.head.weight.data, self.head.bias.data = torch.from_numpy(kept["weights"])[None], torch.from_numpy(kept["bias"])

    def forward(self, questions: Sequence[str], sentences: Sequence[str]) -> torch.Tensor:
        order = sorted(range(len(questions)), key=lambda i: len(questions[i]) + len(sentences[i]))
        parts = [order[start : start + TOGETHER] for start in range(0, len(order), TOGETHER)]
        scores = torch.cat([self._some([questions[i] for i in part], [sentences[i] for i in part]) for part in parts])
        return scores[torch.tensor(order).argsort()]

    def _some(self, questions: Sequence[str], sentences: Sequence[str]) -> torch.Tensor:
        batch = self.tokenizer(questions, sentences, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt")
        with torch.autocast("cpu", dtype=torch.bfloat16):
            states = self.model(**batch).last_hidden_state.float()  # [n, tokens, 384]
        mask = batch["attention_mask"][..., None]
        return self.head((states * mask).sum(1) / mask.sum(1))[:, 0]

    @torch.inference_mode()
    def scores(self, task: Task, texts: Sequence[str]) -> np.ndarray:
        """Its word on the ranking's first sentences: [JUDGED]."""
        return self([task.question] * len(task.rows), [texts[row] for row in task.rows]).numpy()


def train(judge: CrossEncoder, texts: Sequence[str], tasks: Sequence[Task], epochs: int,
          rate: float) -> Iterator[tuple[int, float]]:  # fmt: skip
    """Number and mean loss of each epoch; continues where a checkpoint was left."""
    steps = len(tasks) // BATCH
    learner = Learner(judge, rate, epochs * steps)
    for epoch in range(_resume(judge, learner), epochs):
        begun, losses = time.perf_counter(), []
        order = random.sample(list(tasks), len(tasks))
        for start in range(0, steps * BATCH, BATCH):
            losses.append(learner.step(batch_loss(judge, texts, order[start : start + BATCH])))
            if len(losses) % 50 == 0:
                mean, seconds = np.mean(losses[-50:]), time.perf_counter() - begun
                print(f"  step {len(losses)} of {steps}: {mean:.3f}, {seconds:.0f} s", flush=True)
        _keep(judge, learner, epoch + 1)
        yield epoch + 1, float(np.mean(losses))


def _keep(judge: CrossEncoder, learner: Learner, epoch: int) -> None:
    learned = {name: value for name, value in judge.state_dict().items() if "lora_" in name or name.startswith("head")}
    WORK.parent.mkdir(exist_ok=True)
    torch.save({"judge": learned, "epoch": epoch, **learner.state()}, WORK)


def _resume(judge: CrossEncoder, learner: Learner) -> int:
    """Take up a checkpoint, if there is one; the epochs that are done."""
    if not WORK.exists():
        return 0
    kept = torch.load(WORK, weights_only=True)
    judge.load_state_dict(kept["judge"], strict=False)
    learner.resume(kept)
    return kept["epoch"]


def batch_loss(judge: CrossEncoder, texts: Sequence[str], tasks: Sequence[Task]) -> torch.Tensor:
    """Over the sentences offered with each question: which to say first; and for each, whether it answers at all."""
    offered = [offer(task) for task in tasks]
    questions = [task.question for task in tasks for _ in range(OFFERED)]
    scores = judge(questions, [texts[row] for rows in offered for row in rows]).view(-1, OFFERED)
    share = torch.tensor([[task.right.get(row, 0.0) for row in rows] for task, rows in zip(tasks, offered, strict=True)])
    answers = 0.5 * (share > 0) + 0.5 * (share >= 0.5)  # the one to say first counts in full
    judged = functional.binary_cross_entropy_with_logits(scores, answers.float())
    covered = share.sum(1) > 0
    return judged + (functional.cross_entropy(scores[covered], share[covered]) if covered.any() else 0)


def offer(task: Task) -> list[int]:
    """The right sentences and some wrong ones, the likeliest oftenest."""
    right = list(task.right)
    near = 1 / (np.arange(len(task.wrong)) + 3)
    wrong = np.random.choice(task.wrong, OFFERED - len(right), replace=False, p=near / near.sum())
    return [*right, *(int(row) for row in wrong)]


def best_weight(judged: Sequence[tuple[Task, np.ndarray]]) -> float:
    """What the judge's word has to count so that the right sentences get the most probability."""
    grid = np.arange(0, 3.05, 0.1)

    def loss(weight: float) -> float:
        found = []
        for task, word in judged:
            scores = task.scores + weight * word
            chance = scores - scores.max() - np.log(np.exp(scores - scores.max()).sum())
            share = np.array([task.right.get(int(row), 0.0) for row in task.rows])
            found.append(-(share * chance).sum())
        return float(np.mean(found))

    return float(grid[int(np.argmin([loss(weight) for weight in grid]))])


def report(judge: CrossEncoder, texts: Sequence[str], tasks: Mapping[str, Sequence[Task]], weight: float) -> None:
    """The right sentence first, in three, and mean reciprocal rank; then what the judge's word is worth for declining."""
    ways = {"the ranking alone": 0.0, "the judge alone": 1e6, f"both, the judge {weight:.1f} times (what ships)": weight}
    test = [(task, judge.scores(task, texts)) for task in tasks["test"]]
    print("| Search | right sentence first | in three | mean reciprocal rank |\n|---|--:|--:|--:|")
    for name, heard in ways.items():
        ranks = np.array([_rank_of(task, task.scores + heard * word) for task, word in test])
        print(f"| {name} | {(ranks == 1).mean():.1%} | {(ranks <= 3).mean():.1%} | {(1 / ranks).mean():.3f} |")
    covered = np.array([word.max() for _, word in test])
    unseen = np.array([judge.scores(task, texts).max() for task in tasks["unseen"]])
    for lost in (0.01, 0.02, 0.03, 0.05, 0.1):
        least = np.quantile(covered, lost)
        kept, declined = f"{1 - lost:.0%} of {len(covered)} covered", f"{(unseen < least).mean():.1%} of {len(unseen)} others"
        print(f"its best word at least {least:.2f}: {kept}, {declined} declined")


def _rank_of(task: Task, scores: np.ndarray) -> float:
    rows = task.rows[(-scores).argsort()]
    return next((rank for rank, row in enumerate(rows, 1) if int(row) in task.right), np.inf)


if __name__ == "__main__":
    main()
