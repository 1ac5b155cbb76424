"""What a demo is: a description that a page can draw, and a generator of views.

A demo file holds one `DEMO = Demo(...)` and its `run`. `run` gets the checked inputs by name and
yields views. A view whose `key` was seen before replaces that one; a new `key` is added below. So
long work yields as it goes, and stopping is closing the generator.

    def run(text: str) -> Iterator[View]:
        yield Bars({"negative": 0.9, "positive": 0.1})
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from PIL.Image import Image

Side = Literal["predict", "create", "both"]
Probability = float  # 0..1


class DemoError(ValueError):
    """Wrong input. The text is for the visitor: what was given, what is allowed, what to do."""


# ------------------------------------------------------------------------------ inputs


@dataclass(frozen=True, kw_only=True)
class Input:
    """One field of a demo's form. `check` turns what a client sent into a value, or raises."""

    kind: ClassVar[str]
    name: str
    label: str
    help: str = ""

    def check(self, given: Any) -> Any:
        """The value to run with. Raises DemoError in plain words."""
        raise NotImplementedError

    def describe(self) -> dict[str, Any]:
        """Plain JSON for whoever draws the form."""
        return {"kind": self.kind, **asdict(self)}


@dataclass(frozen=True, kw_only=True)
class Text(Input):
    """A line, or several, of text."""

    kind = "text"
    default: str = ""
    max_length: int = 1000
    lines: int = 1

    def check(self, given: Any) -> str:
        if not isinstance(given, str):
            raise DemoError(f"{self.label} is {_shown(given)}; it has to be text. Type some words.")
        text = "".join(c for c in given if c.isprintable() or c in "\n\t").strip()
        if not text:
            raise DemoError(f"{self.label} is empty. Type a few words and try again.")
        if len(text) > self.max_length:
            raise DemoError(
                f"{self.label} has {len(text):,} characters; at most {self.max_length:,} fit. "
                "Shorten it and try again."
            )
        return text


@dataclass(frozen=True, kw_only=True)
class Slider(Input):
    """A number from `minimum` to `maximum`; whole numbers when `step` is whole."""

    kind = "slider"
    minimum: float
    maximum: float
    step: float = 1
    default: float = 0

    def check(self, given: Any) -> float:
        number = given if isinstance(given, int | float) and not isinstance(given, bool) else None
        if number is None or not math.isfinite(number):
            raise DemoError(f"{self.label} is {_shown(given)}; {self._allowed()}")
        if not self.minimum <= number <= self.maximum:
            raise DemoError(f"{self.label} is {number:g}; {self._allowed()}")
        return round(number) if float(self.step).is_integer() else float(number)

    def _allowed(self) -> str:
        return f"it has to be a number from {self.minimum:g} to {self.maximum:g}."


@dataclass(frozen=True, kw_only=True)
class Choice(Input):
    """One of a few options."""

    kind = "choice"
    options: tuple[str, ...]
    default: str = ""

    def check(self, given: Any) -> str:
        if given not in self.options:
            raise DemoError(
                f"{self.label} is {_shown(given)}; it has to be one of: {', '.join(self.options)}."
            )
        return given


@dataclass(frozen=True, kw_only=True)
class Toggle(Input):
    """Yes or no."""

    kind = "toggle"
    default: bool = False

    def check(self, given: Any) -> bool:
        if not isinstance(given, bool):
            raise DemoError(f"{self.label} is {_shown(given)}; it has to be on or off.")
        return given


def _shown(value: Any) -> str:
    """A value as a visitor may see it: short, quoted, harmless."""
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


# ------------------------------------------------------------------------------- views


@dataclass(frozen=True, kw_only=True)
class View:
    """Something to look at. `key` says which earlier view of this run it replaces."""

    kind: ClassVar[str]
    key: str = ""
    title: str = ""

    def describe(self) -> dict[str, Any]:
        """Plain JSON: `kind`, `key` and the fields."""
        shown = {f.name: _plain(getattr(self, f.name)) for f in fields(self)}
        return {**shown, "kind": self.kind, "key": self.key or f"{self.kind}:{self.title}"}


@dataclass(frozen=True)
class Bars(View):
    """Label -> probability, 0..1, in the order to show."""

    kind = "bars"
    values: Mapping[str, Probability]


@dataclass(frozen=True)
class Words(View):
    """Text in pieces, each with a weight -1..1: how far it pulls to `low` or to `high`."""

    kind = "words"
    pieces: tuple[tuple[str, float], ...]
    low: str = ""
    high: str = ""


@dataclass(frozen=True)
class Piece:
    """A token that a model wrote, its probability (None: not told), and what else it weighed."""

    text: str
    probability: Probability | None
    alternatives: tuple[tuple[str, Probability], ...] = ()


@dataclass(frozen=True)
class Tokens(View):
    """Text as a model wrote it, token by token, after `start`.

    With `grow` (an input's name), choosing an alternative of a piece runs the demo again, that
    input being the text before the piece plus the alternative.
    """

    kind = "tokens"
    pieces: tuple[Piece, ...]
    start: str = ""
    grow: str = ""


@dataclass(frozen=True)
class Picture(View):
    """A PNG as a data URI (make it with `picture`), what it shows in words, and a caption."""

    kind = "picture"
    png: str
    alt: str
    caption: str = ""


@dataclass(frozen=True)
class Strip(View):
    """Pictures in a row that tell a story, such as noise becoming a picture."""

    kind = "strip"
    pictures: tuple[Picture, ...]
    expected: int = 0  # how many there will be, so that the page can keep the room free


@dataclass(frozen=True)
class Table(View):
    """Rows of plain values under column names."""

    kind = "table"
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float, ...], ...]


@dataclass(frozen=True)
class Note(View):
    """A sentence or two in plain words."""

    kind = "note"
    text: str


def data_uri(image: Image) -> str:
    """A PIL image as a PNG data URI."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _plain(value: Any) -> Any:
    """Dataclasses, mappings and tuples as JSON knows them. Mappings keep their order as pairs."""
    if isinstance(value, View):
        return value.describe()
    if isinstance(value, Mapping):
        return [[key, _plain(item)] for key, item in value.items()]
    if isinstance(value, Piece):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


# -------------------------------------------------------------------------------- demo


@dataclass(frozen=True, kw_only=True)
class Demo:
    """A live demo.

    phrases: how visitors ask for it in the chat, with an input's name in braces: "draw {prompt}".
        `{text}` is taken word for word, other inputs lose their article; `*` stands for
        any words, `(a|b)` for either, `( a)?` may be missing;
        a toggle's name in brackets at the end turns it on: "ask both sides: {text} [compare]".
    cues: words (patterns) that ask for it when they stand beside a text in quotation marks.
    needs: what the host has to hand to `run`, such as "language_model".
    """

    slug: str
    title: str
    side: Side
    topic: str
    summary: str
    inputs: tuple[Input, ...]
    run: Callable[..., Iterator[View]]
    action: str = "Run"
    examples: tuple[Mapping[str, Any], ...] = ()
    credits: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    cues: tuple[str, ...] = ()
    needs: tuple[str, ...] = field(default=())

    def describe(self) -> dict[str, Any]:
        """What a page, an API client or an agent has to know to use this demo, as plain JSON."""
        plain = {
            name: getattr(self, name)
            for name in ("slug", "title", "side", "topic", "summary", "action")
        }
        return {
            **plain,
            "inputs": [one.describe() for one in self.inputs],
            "examples": [dict(one) for one in self.examples],
            "credits": list(self.credits),
        }

    def check(self, given: Any) -> dict[str, Any]:
        """All inputs by name, defaults filled in. Raises DemoError for wrong or unknown ones."""
        if not isinstance(given, Mapping):
            raise DemoError(
                f"The inputs are {_shown(given)}; they have to be a name for each value."
            )
        names = [one.name for one in self.inputs]
        if unknown := [str(name) for name in given if name not in names]:
            raise DemoError(
                f"{_shown(unknown[0])} is no input of {self.slug}; it has: {', '.join(names)}."
            )
        return {one.name: one.check(given.get(one.name, one.default)) for one in self.inputs}

    def play(self, given: Mapping[str, Any], **resources: Any) -> Iterator[View]:
        """Check the inputs, then run. `resources` are the objects that `needs` names."""
        values = self.check(given)
        yield from self.run(**values, **{name: resources[name] for name in self.needs})


def final_views(views: Iterator[View]) -> list[dict[str, Any]]:
    """What stands on the page when a run has ended: the last view of each key, oldest key first."""
    shown: dict[str, dict[str, Any]] = {}
    for view in views:
        plain = view.describe()
        shown[plain["key"]] = plain
    return list(shown.values())
