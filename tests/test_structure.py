"""The house keeps its shape: who may import whom, what may load early, what every file says."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {  # of our own packages; training and benchmarks may use them all, tests everything
    "app": {"interface", "explainers", "demos", "assets"},
    "interface": {"explainers", "demos", "assets"},
    "explainers": {"assets"},
    "demos": {"assets"},
    "assets": set(),
    "training": {"explainers", "demos", "assets"},
    "benchmarks": {"app", "interface", "explainers", "demos", "assets", "training"},
}
OURS = {*MAY_IMPORT, "tests"}
MAY_USE_GRADIO = {"app", "interface", "benchmarks", "tests"}
HEAVY = {"torch", "transformers", "diffusers", "sklearn", "scipy", "xllamacpp", "gguf"}
ON_PYPI = {"PIL": "pillow", "sklearn": "scikit-learn", "yaml": "pyyaml"}  # import -> requirement
BY_GRADIO = {"fastapi", "uvicorn", "starlette", "gradio_client", "httpx"}  # come with gradio
BY_OTHERS = {"tokenizers": "transformers", "scipy": "scikit-learn"}


def sources() -> list[Path]:
    """Every Python file of ours, but no environment that lies in the folder."""
    return [ROOT / "app.py", *(file for name in sorted(OURS) for file in python_in(name))]


def python_in(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def name_of(file: Path) -> str:
    """`demos/base.py` -> `demos/base.py`, for test names and messages."""
    return file.relative_to(ROOT).as_posix()


def house_of(file: Path) -> str:
    """The package, or module, of ours that a file belongs to."""
    return file.relative_to(ROOT).parts[0].removesuffix(".py")


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def imported(nodes: Iterator[ast.AST], file: Path) -> set[str]:
    """Full names that import statements mention: `from a.b import c` gives a.b and a.b.c."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(file)} has a relative import; write it in full"
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def everywhere(file: Path) -> set[str]:
    """All imports of a file, those inside functions too."""
    return imported(ast.walk(tree_of(file)), file)


def early(file: Path) -> set[str]:
    """The imports that run when the file is imported."""

    def running(node: ast.AST) -> Iterator[ast.AST]:
        for child in ast.iter_child_nodes(node):
            typing_only = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
            if not typing_only and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                yield child
                yield from running(child)

    return imported(running(tree_of(file)), file)


def houses(names: set[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


FILES = pytest.mark.parametrize("file", sources(), ids=name_of)


@FILES
def test_arrows_run_one_way(file: Path):
    house = house_of(file)
    if house != "tests":
        allowed = MAY_IMPORT[house]
        wrong = (houses(everywhere(file)) & OURS) - {house} - allowed
        assert not wrong, f"{name_of(file)} imports {wrong}; {house} may only use {allowed}"


@FILES
def test_gradio_stays_in_the_interface(file: Path):
    if house_of(file) not in MAY_USE_GRADIO:
        assert "gradio" not in houses(everywhere(file))


@FILES
def test_every_module_says_what_it_is_for(file: Path):
    if file.read_text(encoding="utf-8").strip():  # an empty __init__.py has nothing to say
        assert ast.get_docstring(tree_of(file)), f"{name_of(file)} has no docstring"


def test_what_start_up_imports_is_light():
    """The page is up before any model is: follow the imports that run, find no heavy one."""
    waiting = [ROOT / "app.py"]
    waiting += [file for name in MAY_IMPORT["app"] for file in (ROOT / name).glob("*.py")]
    seen: set[Path] = set()
    while waiting:
        file = waiting.pop()
        if file in seen or file.name == "__main__.py":
            continue
        seen.add(file)
        heavy = houses(early(file)) & HEAVY
        assert not heavy, f"{name_of(file)} imports {heavy} at once; do it inside a function"
        waiting += [target for name in early(file) for target in files_of(name)]


def files_of(module: str) -> list[Path]:
    """The files of ours that importing `module` runs."""
    path = ROOT / module.replace(".", "/")
    if module.split(".")[0] not in OURS:
        return []
    return [file for file in (path.with_suffix(".py"), path / "__init__.py") if file.exists()]


def test_nothing_heavy_is_loaded_with_the_page():
    """The same, by trying it: what Python really has loaded once app.py and all demos are in."""
    code = "import sys, app, demos; demos.load(); print(*sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not HEAVY & set(told.stdout.split())


def requirements(name: str) -> dict[str, str]:
    """Package -> the whole line, as pip reads it."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    wanted = [line.split("#")[0].strip() for line in lines if not line.startswith("-r")]
    return {re.split(r"[\[<>=!~]", line)[0].lower(): line for line in wanted if line}


def test_every_import_is_a_requirement():
    run, develop = requirements("requirements.txt"), requirements("requirements-dev.txt")
    for file in sources():
        known = run | develop if house_of(file) in ("tests", "benchmarks", "training") else run
        for name in houses(everywhere(file)) - OURS - BY_GRADIO - sys.stdlib_module_names:
            package = BY_OTHERS.get(name) or ON_PYPI.get(name, name)
            assert package.lower() in known, f"{name_of(file)}: {package} is no requirement"


def test_every_requirement_is_imported():
    """What nothing imports is weight that every visitor's first start would carry."""
    names = {name for file in sources() for name in houses(everywhere(file))}
    used = {ON_PYPI.get(name, name).lower() for name in names}
    assert not set(requirements("requirements.txt")) - used


TEXTS = {".py", ".md", ".js", ".css", ".html", ".txt", ".toml", ".yaml", ".yml", ".json", ""}


def texts() -> Iterator[Path]:
    """Every file of words in the tree, this one aside: it has to name what it forbids."""
    folders = [ROOT / name for name in OURS | {"weights", ".ci", "docs"}]
    files = [file for folder in folders for file in folder.rglob("*")] + list(ROOT.glob("*"))
    for file in files:
        if file.is_file() and file.suffix in TEXTS and file != Path(__file__):
            yield file


def test_no_file_knows_this_machine_or_a_registry():
    """A path of somebody's machine, or a package registry's host, works for nobody else."""
    forbidden = re.compile(
        r"(?<![\w.])/(?:work|root|home/\w+)/|pypi\.org|pythonhosted|npmjs|debian\.org/debian"
    )
    for file in texts():
        found = forbidden.search(file.read_text(encoding="utf-8", errors="replace"))
        assert not found, f"{name_of(file)} mentions {found[0]}"
