"""Low-rank adapters (LoRA; Hu et al., 2021): what our trainings add to published weights.

An adapter is a safetensors file with two small matrices for each weight that it changes: NAME.A
[rank, in] and NAME.B [out, rank]; the weight becomes W + B @ A, the usual factor being in B already.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def read_adapter(path: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The pairs (A, B) by the name of the weight that they change, as 32-bit floats."""
    from safetensors.numpy import load_file

    kept = load_file(path)
    names = sorted({name.rpartition(".")[0] for name in kept})
    return {name: (kept[f"{name}.A"].astype("float32"), kept[f"{name}.B"].astype("float32")) for name in names}


def adapted(model: Any, adapter: dict[str, tuple[np.ndarray, np.ndarray]]) -> Any:
    """A second torch model that shares `model`'s weights and adds the adapter as it runs.

    Raises KeyError when the adapter was made for another model.
    """
    import copy

    import torch

    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    second = copy.deepcopy(model, shared)  # copies the modules, keeps the tensors
    modules = dict(second.named_modules())
    for name, (a, b) in adapter.items():
        a, b = torch.from_numpy(a), torch.from_numpy(b)
        modules[name].register_forward_hook(
            lambda _, given, out, a=a, b=b: out + (given[0] @ a.T) @ b.T  # [..., out]
        )
    return second
