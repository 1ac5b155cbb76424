"""How the networks of the image generator learn: rates, the Muon optimizer, a loop that can be resumed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Rates:
    """How long and how fast one network learns."""

    steps: int
    batch: int
    peak: float
    warm_up: int
    falling: float  # the last share of the steps, in which the rate falls to nearly 0

    def at(self, step: int) -> float:
        """The rate at a step: up, level, down to 1%."""
        left = (self.steps - step) / (self.falling * self.steps)
        return self.peak * min(1.0, (step + 1) / self.warm_up, max(left, 0.01))


class Muon(torch.optim.Optimizer):
    """Momentum whose directions are all made equally long (Jordan et al., "Muon", 2024).

    torch.optim.Muon does the same in bfloat16, which took 1.7 times as long on a CPU.
    """

    def __init__(self, matrices: list[Tensor], lr: float = 1e-3):
        super().__init__(matrices, {"lr": lr})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for matrix in group["params"]:
                state = self.state[matrix]
                momentum = state.setdefault("momentum", torch.zeros_like(matrix))
                momentum.lerp_(matrix.grad, 0.05)
                update = orthogonal(matrix.grad.lerp(momentum, 0.95))
                matrix.sub_(update, alpha=group["lr"] * 0.2 * max(matrix.shape) ** 0.5)


def orthogonal(matrix: Tensor) -> Tensor:
    """About U @ V.T of the singular value decomposition, by five Newton-Schulz steps."""
    wide = matrix.T if len(matrix) > matrix.shape[1] else matrix
    wide = wide / (wide.norm() + 1e-7)
    for _ in range(5):
        square = wide @ wide.T
        wide = 3.4445 * wide + (-4.775 * square + 2.0315 * square @ square) @ wide
    return wide.T if len(matrix) > matrix.shape[1] else wide


class Optimizer:
    """Muon for weight matrices (a convolution's, laid flat), AdamW for everything else."""

    def __init__(self, model: nn.Module):
        self.model = model
        weights = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
        self.matrices = [p for name, p in weights if p.ndim > 1 and is_hidden(name)]
        rest = [p for name, p in weights if p.ndim == 1 or not is_hidden(name)]
        self.flat = [nn.Parameter(p.data.view(len(p), -1)) for p in self.matrices]  # same memory
        self.muon = Muon(self.flat)
        self.adam = torch.optim.AdamW(rest, betas=(0.9, 0.98), weight_decay=0.0)

    def descend(self, loss: Tensor, rate: float) -> None:
        """One step down the loss. Muon's rate is the given one, AdamW's a third of it."""
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for flat, matrix in zip(self.flat, self.matrices, strict=True):
            flat.grad = matrix.grad.view_as(flat)
        for optimizer, share in ((self.muon, 1.0), (self.adam, 1 / 3)):
            for group in optimizer.param_groups:
                group["lr"] = rate * share
            optimizer.step()
        self.model.zero_grad()

    def state_dict(self) -> dict:
        return {"muon": self.muon.state_dict(), "adam": self.adam.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        self.muon.load_state_dict(state["muon"])
        self.adam.load_state_dict(state["adam"])


def is_hidden(name: str) -> bool:
    """Neither the first nor the last layer, a table nor the steering: AdamW does those."""
    outer = ("encoder.1.", "decoder.10.", "read_", "write", "place", "style")
    return not name.startswith(outer) and ".steer." not in name


class Training:
    """A resumable loop: saves the parts, the step and the random state every few minutes."""

    def __init__(self, file: Path, parts: dict, every: float = 180.0):
        self.file, self.parts, self.every, self.start = file, parts, every, 0
        self.begun = self.saved = time.monotonic()
        self.seconds, self.losses = 0.0, []
        if file.exists():
            stored = torch.load(file, map_location=device())
            for name, part in parts.items():
                part.load_state_dict(stored[name])
            self.start, self.seconds = stored["step"], stored["seconds"]
            torch.set_rng_state(stored["random"].cpu())

    def steps(self, until: int) -> Iterator[int]:
        """Step numbers; saves in between and at the end."""
        for step in range(self.start, until):
            yield step
            if time.monotonic() - self.saved > self.every:
                self.save(step + 1)
        self.save(until)

    def save(self, step: int) -> None:
        """Write beside, then rename: a stop in the middle leaves the older file whole."""
        now = time.monotonic()
        parts = {name: part.state_dict() for name, part in self.parts.items()}
        extra = {
            "step": step,
            "seconds": self.seconds + now - self.begun,
            "random": torch.get_rng_state(),
        }
        torch.save(parts | extra, self.file.with_suffix(".part"))
        self.file.with_suffix(".part").replace(self.file)
        self.saved = now

    def tell(self, step: int, loss: Tensor, every: int = 50) -> None:
        """Print the mean loss now and then."""
        self.losses.append(loss.item())
        if (step + 1) % every == 0:
            mean, seconds = np.mean(self.losses), time.monotonic() - self.begun
            self.losses.clear()
            print(f"step {step + 1} loss {mean:.4f} {seconds:.0f} s", flush=True)


def device() -> torch.device:
    """Where training runs."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
