"""Fine-tune the language model to answer from what the search finds, and to decline when it finds nothing.

    python -m training.tutor.train [--epochs 2] [--minutes 60]

LoRA on every linear layer of SmolLM2-135M-Instruct, on the `train` part of the question bank: the
prompt is what the tutor really asks (explainers/phrasing.py) with the sentences that its search
really finds, each question's own entry left out of the search; the loss is on the answer alone.
One in eight is
asked from memory. Runs on a CPU (bfloat16 autocast) or a GPU. Continues from training/work/tutor.pt
if it was interrupted; writes weights/tutor/adapter.safetensors and log.jsonl.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

import assets
from explainers.intent import read_intent
from explainers.library import SHIPPED, Library, load_kept, open_encoders
from explainers.phrasing import DECLINED, READ, messages_for
from explainers.ranking import Ranking, open_ranking
from explainers.topics import Topic, load_topics
from training.lora import save_adapter, with_lora
from training.ranking import about, remembering
from training.tutor.bank import Example, read_bank, split

SEED, RANK, TOKENS_A_STEP, RATE = 0, 16, 4096, 6e-4
FROM_MEMORY = 0.12  # share of the examples that are asked without sentences
DECLINES = 12  # one lesson in so many is one to decline
NOISE = 1.0  # of the search's logits in training, so that the best sentence is not always the first
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
HOME = Path(__file__).parents[2]
WEIGHTS, CHECKPOINT = HOME / "weights" / "tutor", HOME / "training" / "work" / "tutor.pt"


@dataclass(frozen=True)
class Lesson:
    """Token ids of a prompt with its answer, and how many of them are the answer."""

    tokens: list[int]
    answer: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after this long; call again to go on")
    wanted = parser.parse_args()
    random.seed(SEED)
    torch.manual_seed(SEED)
    tokenizer, model = open_base()
    model = with_lora(model, TARGETS, rank=RANK)
    lessons = lessons_of_bank(tokenizer)
    held_out = lessons["rank"][:64]
    tokens = sum(len(one.tokens) for one in lessons["train"])
    print({name: len(part) for name, part in lessons.items()}, tokens, "tokens", flush=True)
    WEIGHTS.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    with (WEIGHTS / "log.jsonl").open("a") as log:
        for step, row in train(model, lessons["train"], wanted.epochs):
            if step % 30 == 0:
                row["held_out"] = round(loss_on(model, held_out), 4)
                save_adapter(model, WEIGHTS / "adapter.safetensors")
            row["minutes"] = round((time.perf_counter() - begun) / 60, 1)
            log.write(json.dumps(row) + "\n")
            log.flush()
            print(row, flush=True)
            if row["minutes"] > wanted.minutes:
                break
    print("held out:", loss_on(model, held_out))
    save_adapter(model, WEIGHTS / "adapter.safetensors")


def open_base() -> tuple[Any, Any]:
    """The tokenizer and the published weights, as 32-bit floats, on a GPU if there is one."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    file = assets.path("smollm2")
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    model = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
    return tokenizer, model.to("cuda" if torch.cuda.is_available() else "cpu")


# --------------------------------------------------------------------------------- lessons


def lessons_of_bank(tokenizer: Any) -> dict[str, list[Lesson]]:
    """The parts of the bank as lessons; those without support are asked with whatever the search finds."""
    topics = load_topics()
    plain, trained = open_encoders(assets.path("minilm"))
    bank = read_bank(topics)
    declined = [one for one in bank if not one.support]
    bank = [one for one in bank if one.support] + random.sample(declined, len(bank) // DECLINES)
    parts = split(bank, topics, plain)
    asked = [text for one in bank for text in (one.asked(topics), one.question)]
    library = Library(topics, remembering(plain, asked), load_kept(SHIPPED))
    ranking = open_ranking(library, remembering(trained, asked))
    return {name: [lesson(one, ranking, topics, tokenizer) for one in parts[name]] for name in ("train", "rank")}


def lesson(example: Example, ranking: Ranking, topics: Mapping[str, Topic], tokenizer: Any) -> Lesson:
    """An example as the model meets it in use."""
    from_memory = example.support and random.random() < FROM_MEMORY
    sentences = [] if from_memory else found(example, ranking, topics)
    answer = example.answer if example.support else DECLINED
    messages = messages_for(example.asked(topics), sentences)
    prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    said = tokenizer(answer + "<|im_end|>", add_special_tokens=False)["input_ids"]
    return Lesson(ids + said, len(said))


def found(example: Example, ranking: Ranking, topics: Mapping[str, Topic]) -> list[str]:
    """The sentences that the search finds, its certainty shaken; the support takes the last places if it is missing."""
    features = ranking.features(example.question, read_intent(example.question).kind, about(example), alone=True)
    scores = ranking.network.scores(features)
    scores = scores + NOISE * np.random.default_rng(len(example.question)).gumbel(size=len(scores))
    best = [ranking.places[i][0] for i in (-scores).argsort()[:READ]]
    missing = [sentence for _, sentence in example.support if sentence not in best]
    kept = [one for one in best if one in {s for _, s in example.support}]
    others = [one for one in best if one not in kept][: max(0, READ - len(kept) - len(missing))]
    return [one for one in best if one in kept or one in others] + missing


# -------------------------------------------------------------------------------- training


def train(model: Any, lessons: Sequence[Lesson], epochs: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Steps of about TOKENS_A_STEP tokens, with their loss; continues where a checkpoint was left."""
    weights = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=RATE, weight_decay=0.0, betas=(0.9, 0.95))
    plan = [batch for epoch in range(epochs) for batch in batches(lessons, seed=epoch)]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=len(plan) + 1, pct_start=0.06)
    start = resume(weights, optimizer, schedule)
    for step in range(start, len(plan)):
        begun, total = time.perf_counter(), sum(one.answer for one in plan[step])
        losses = 0.0
        model.train()
        for some in pieces(plan[step]):
            loss = summed_loss(model, some) / total
            loss.backward()
            losses += loss.item()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        if step % 20 == 19:
            keep(step + 1, weights, optimizer, schedule)
        tokens = sum(len(one.tokens) for one in plan[step])
        rate = tokens / (time.perf_counter() - begun)
        yield step + 1, {"step": step + 1, "of": len(plan), "loss": round(losses, 4), "tokens_per_second": round(rate)}


def batches(lessons: Sequence[Lesson], seed: int) -> list[list[Lesson]]:
    """The lessons in random order, TOKENS_A_STEP tokens at most in each batch."""
    made, size = [[]], 0
    for one in random.Random(seed).sample(lessons, len(lessons)):
        if size + len(one.tokens) > TOKENS_A_STEP:
            made.append([])
            size = 0
        made[-1].append(one)
        size += len(one.tokens)
    return made


def pieces(batch: Sequence[Lesson]) -> list[Sequence[Lesson]]:
    """A batch in pieces of like length: little padding, and it stays in the processor's caches."""
    order = sorted(batch, key=lambda one: len(one.tokens))
    return [order[start : start + 8] for start in range(0, len(order), 8)]


def summed_loss(model: Any, lessons: Sequence[Lesson]) -> torch.Tensor:
    """Cross entropy of the answers' tokens, added up. Logits are made for answers only: they cost most."""
    longest, device = max(len(one.tokens) for one in lessons), model.device
    ids = torch.tensor([one.tokens + [0] * (longest - len(one.tokens)) for one in lessons], device=device)
    rows, places, wanted = [], [], []
    for row, one in enumerate(lessons):
        first = len(one.tokens) - one.answer
        rows += [row] * one.answer
        places += range(first - 1, len(one.tokens) - 1)
        wanted += one.tokens[first:]
    with torch.autocast(device.type, dtype=torch.bfloat16):
        states = model.base_model.model.model(ids).last_hidden_state  # [n, tokens, 576]; causal, so padding is harmless
        logits = model.base_model.model.lm_head(states[rows, places])  # [answer tokens, vocabulary]
    return torch.nn.functional.cross_entropy(logits.float(), torch.tensor(wanted, device=device), reduction="sum")


@torch.inference_mode()
def loss_on(model: Any, lessons: Sequence[Lesson]) -> float:
    """Mean cross entropy of an answer's token."""
    model.eval()
    return sum(summed_loss(model, some).item() for some in pieces(lessons)) / sum(one.answer for one in lessons)


def keep(step: int, weights: Sequence[torch.Tensor], optimizer: Any, schedule: Any) -> None:
    """Write a checkpoint, in one move."""
    CHECKPOINT.parent.mkdir(parents=True, exist_ok=True)
    scratch = CHECKPOINT.with_suffix(".part")
    state = {"step": step, "weights": [p.detach() for p in weights], "optimizer": optimizer.state_dict(),
             "schedule": schedule.state_dict()}  # fmt: skip
    torch.save(state, scratch)
    scratch.replace(CHECKPOINT)


def resume(weights: Sequence[torch.Tensor], optimizer: Any, schedule: Any) -> int:
    """Take up a checkpoint, if there is one; the steps that are done."""
    if not CHECKPOINT.exists():
        return 0
    state = torch.load(CHECKPOINT, weights_only=True)
    for weight, kept in zip(weights, state["weights"], strict=True):
        weight.data.copy_(kept)
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    return state["step"]


if __name__ == "__main__":
    main()
