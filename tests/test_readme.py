"""The README keeps its word: its commands, examples, tables and links are the ones that work."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import demos
from assets import ASSETS, Asset
from explainers.reply import Citation, Draft, Reply
from explainers.topics import load_topics

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAPERS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "THIRD_PARTY.md")
ADDRESS = "http://127.0.0.1:7860"


def blocks(language: str) -> list[str]:
    """The README's fenced blocks in that language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.M | re.S)


def test_one_command_starts_and_one_tests():
    start, test = (block.strip() for block in blocks("bash")[:2])
    venv = "python3.11 -m venv .venv && .venv/bin/pip install -r"
    assert start == f"{venv} requirements.txt && .venv/bin/python app.py"
    assert test == f"{venv} requirements-dev.txt && .venv/bin/python -m pytest"


def test_ci_runs_the_test_command_that_it_reads_here():
    """The very lines of .ci/run that pick the command out of the README."""
    script = (ROOT / ".ci" / "run").read_text().splitlines()
    lines = [line for line in script if "_command=" in line]
    shown = subprocess.run(
        ["bash", "-c", "\n".join([*lines, 'echo "$test_command"; echo "$install_command"'])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    test = blocks("bash")[1].strip()
    assert shown.stdout.splitlines() == [test, test.removesuffix(" && .venv/bin/python -m pytest")]


def test_front_matter_fits_what_is_installed():
    meta = yaml.safe_load(README.split("---\n")[1])
    assert f"gradio=={meta['sdk_version']}" in (ROOT / "requirements.txt").read_text().splitlines()
    assert (ROOT / meta["app_file"]).exists() and meta["python_version"] == "3.11"
    assert len(meta["short_description"]) <= 60


def test_every_variable_is_explained_and_every_explained_one_is_read():
    folders = ("assets", "demos", "explainers", "interface", "tests")
    files = [ROOT / "app.py", *(file for name in folders for file in (ROOT / name).rglob("*.py"))]
    read = {
        name
        for file in files
        for name in re.findall(r"\b(?:EXPLAINER|REQUIRE)_[A-Z_]+\b", file.read_text("utf-8"))
    }
    table = README.split("## Configuration")[1].split("\n## ")[0]
    assert set(re.findall(r"`((?:EXPLAINER|REQUIRE)_[A-Z_]+)`", table)) == read


def test_every_demo_is_listed_with_its_side():
    table = README.split("## Demos")[1].split("\n## ")[0]
    listed = dict(re.findall(r"^\| `(\w+)` \| \S (\w+) \|", table, re.M))
    assert listed == {slug: demo.side for slug, demo in demos.load().items()}


@pytest.mark.parametrize("name", PAPERS)
def test_links_and_files_exist(name: str):
    text = re.sub(r"<!--.*?-->", "", (ROOT / name).read_text(encoding="utf-8"), flags=re.S)
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
    paths = re.findall(r"`([\w.]+/[\w./-]*|[A-Z_]+\.md)`", text)
    for path in {*links, *paths}:
        if not re.search(r"SLUG|NAME", path):
            assert (ROOT / path).exists(), f"{name} mentions {path}"


@pytest.mark.parametrize("asset", ASSETS, ids=lambda one: one.name)
def test_every_asset_is_credited(asset: Asset):
    """THIRD_PARTY.md has a row with the same package, version, credit and licence as the table."""
    rows = (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8").splitlines()
    row = next((row for row in rows if row.startswith(f"| `{asset.name}` |")), "")
    for fact in (f"{asset.package} {asset.version}", asset.credit, asset.licence):
        assert f"| {fact} |" in row, f"{asset.name}: THIRD_PARTY.md does not say {fact!r}"


def test_every_package_is_credited():
    table = (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8").split("## Python packages")[1]
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text().splitlines():
            if line and not line.startswith(("#", "-r")):
                assert re.search(rf"\b{re.split('[<>=[]', line)[0]}\b", table), line


def test_the_licence_is_whole():
    licence = (ROOT / "LICENSE").read_text()
    assert "Apache License" in licence and "END OF TERMS AND CONDITIONS" in licence


# ------------------------------------------------------------------------ examples that run


class Fake:
    """A tutor without models: it repeats the question. The real one is tested elsewhere."""

    topics = load_topics()
    language_model = None

    def reply(self, question, history=(), *, from_memory=False):
        yield Draft("You asked")
        source = Citation("gan", "Generative adversarial networks", "In short", "A GAN is ...")
        yield Reply(f"{len(history)} before; now: {question}", side="create", citations=(source,))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The page with the fake tutor and the real demos, at a free port."""
    import uvicorn

    from app import create_app

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    site = create_app(Fake, demos.load(), Fake.topics)
    server = uvicorn.Server(uvicorn.Config(site, port=port, log_level="warning"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True


def test_the_python_example_runs(address: str):
    code = blocks("python")[0].replace(ADDRESS, address)
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    assert "create 0 before; now: How does a GAN work?" in told.stdout
    assert "sentiment" in told.stdout and "bars" in told.stdout


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_curl_example_runs(address: str):
    script = next(block for block in blocks("bash") if "curl" in block).replace(ADDRESS, address)
    told = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert "event: complete" in told.stdout and "How does a GAN work?" in told.stdout
