"""Make the language model's file once: the published weights, what we taught it, quantised for speed.

The Q4_1 weights as published are unpacked, the adapter from weights/tutor (training/tutor/train.py) is
added to them, and the sum is written in Q4_0. llama.cpp repacks Q4_0 for the processor's wide
registers; Q4_1 it computes as stored, and reads prompts at less than half the speed.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import assets
from assets.adapter import read_adapter

if TYPE_CHECKING:
    import numpy as np

ADAPTER = Path(__file__).parents[1] / "weights" / "tutor" / "adapter.safetensors"
GGUF_NAMES = {  # how llama.cpp calls the layers that transformers calls model.layers.N.NAME
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}  # fmt: skip
HEADS = {"attn_q": "llama.attention.head_count", "attn_k": "llama.attention.head_count_kv"}


def language_model(adapter: Path | None = ADAPTER) -> Path:
    """The GGUF that the llama.cpp engine loads; made on first use, and again when the adapter changed.

    adapter: None for the published weights. A file that is not as it was written is made afresh.
    """
    source = assets.path("smollm2")
    taught = adapter.read_bytes() if adapter else b""
    name = f"tutor-{hashlib.sha256(taught).hexdigest()[:8]}" if adapter else "SmolLM2-135M-Instruct"
    target = source.with_name(f"{name}.Q4_0.gguf")
    if not _is_whole(target):
        handle, scratch = tempfile.mkstemp(dir=target.parent, suffix=".part")
        os.close(handle)
        try:
            requantize(source, Path(scratch), read_adapter(adapter) if adapter else {})
            _note_of(target).write_text(_digest(Path(scratch)))
            Path(scratch).replace(target)
        finally:
            Path(scratch).unlink(missing_ok=True)
    return target


def _is_whole(file: Path) -> bool:
    note = _note_of(file)
    return file.exists() and note.exists() and note.read_text() == _digest(file)


def _note_of(file: Path) -> Path:
    return file.with_suffix(".sha256")


def _digest(file: Path) -> str:
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def requantize(source: Path, target: Path, adapter: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """Copy a GGUF with every Q4_1 tensor as Q4_0, the adapter added; all else stays bit for bit."""
    import gguf

    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(target, reader.fields["general.architecture"].contents())
    _copy_fields(reader, writer)
    q4_0 = gguf.GGMLQuantizationType.Q4_0
    heads = {kind: reader.fields[field].contents() for kind, field in HEADS.items() if field in reader.fields}
    learned = {_gguf_name(name): pair for name, pair in adapter.items()}
    for tensor in reader.tensors:
        data, kind = tensor.data, tensor.tensor_type
        if kind is gguf.GGMLQuantizationType.Q4_1:
            weights = gguf.dequantize(data, kind)
            if pair := learned.pop(tensor.name, None):
                weights = weights + _in_llama_order(pair[1] @ pair[0], heads.get(tensor.name.split(".")[2]))
            data, kind = gguf.quantize(weights, q4_0), q4_0
        writer.add_tensor(tensor.name, data, raw_dtype=kind)
    if learned:
        raise ValueError(f"The adapter changes {min(learned)}, which {source.name} does not have in Q4_1.")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _gguf_name(name: str) -> str:
    """`model.layers.3.mlp.up_proj` -> `blk.3.ffn_up.weight`."""
    layer, part = re.fullmatch(r"(?:model\.)?layers\.(\d+)\.(.+)", name).groups()
    return f"blk.{layer}.{GGUF_NAMES[part]}.weight"


def _in_llama_order(change: np.ndarray, heads: int | None) -> np.ndarray:
    """llama.cpp turns queries and keys in pairs of neighbours where transformers turns halves: [out, in] -> [out, in]."""
    if not heads:
        return change
    halves = change.reshape(heads, 2, change.shape[0] // heads // 2, change.shape[1])
    return halves.swapaxes(1, 2).reshape(change.shape)


def _copy_fields(reader: Any, writer: Any) -> None:
    """All metadata but what the writer sets itself and the file type, which is now mostly Q4_0."""
    import gguf

    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":
            continue
        kind = field.types[0]
        value = field.contents()
        if name == "general.file_type":
            value = int(gguf.LlamaFileType.MOSTLY_Q4_0)
        item = field.types[-1] if kind is gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(name, value, kind, sub_type=item)
