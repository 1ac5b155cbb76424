"""Train low-rank adapters with peft, and write them as `assets.adapter` reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from assets.adapter import read_adapter


def with_lora(model: Any, targets: list[str], *, rank: int, factor: float = 2.0, dropout: float = 0.0) -> Any:
    """The model with trainable rank-`rank` matrices at the linear layers named in `targets`; all else is frozen."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=rank, lora_alpha=factor * rank, lora_dropout=dropout, target_modules=targets)
    return get_peft_model(model, config)


class Learner:
    """AdamW over a model's trainable weights; the rate rises for a tenth of the steps, then falls to nothing."""

    def __init__(self, model: torch.nn.Module, rate: float, steps: int) -> None:
        self._weights = [p for p in model.parameters() if p.requires_grad]
        self._optimizer = torch.optim.AdamW(self._weights, lr=rate, weight_decay=0.01)
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(self._optimizer, rate, total_steps=steps + 1, pct_start=0.1)

    def step(self, loss: torch.Tensor) -> float:
        """Learn from one batch's loss; its value."""
        self._optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._weights, 1.0)
        self._optimizer.step()
        self._schedule.step()
        return loss.item()

    def state(self) -> dict[str, Any]:
        """What `resume` takes up again, beside the weights."""
        return {"optimizer": self._optimizer.state_dict(), "schedule": self._schedule.state_dict()}

    def resume(self, state: dict[str, Any]) -> None:
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])


def load_adapter(model: Any, path: Path, *, factor: float = 2.0) -> None:
    """Begin where a training that wrote `path` ended: the inverse of `save_adapter`."""
    modules = dict(model.named_modules())
    with torch.no_grad():
        for name, (a, b) in read_adapter(path).items():
            layer = modules[f"base_model.model.{name}"]
            layer.lora_A["default"].weight.copy_(torch.from_numpy(a))
            layer.lora_B["default"].weight.copy_(torch.from_numpy(b) / factor)


def save_adapter(model: Any, path: Path, *, factor: float = 2.0) -> None:
    """Write the trained matrices as float16, the factor multiplied into B, in one move."""
    kept = {}
    for name, tensor in model.state_dict().items():
        layer, found, _ = name.removeprefix("base_model.model.").partition(".lora_")
        if found:
            is_b = ".lora_B." in name
            kept[f"{layer}.{'B' if is_b else 'A'}"] = (tensor * (factor if is_b else 1)).to(torch.float16).contiguous()
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.part")
    save_file(kept, scratch)
    scratch.replace(path)
