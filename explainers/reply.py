"""What the tutor says: drafts while the answer is being written, then one Reply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Side = Literal["predict", "create", "both"]


@dataclass(frozen=True)
class Token:
    """A piece of text a language model wrote.

    probability: 0..1, or None where the engine does not tell.
    alternatives: what else was weighed, best first, as (text, probability).
    """

    text: str
    probability: float | None = None
    alternatives: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Span:
    """A sentence of the answer: who wrote it. `quoted` ones stand in a passage word for word.

    supported: False for a sentence from memory that no passage says.
    """

    text: str
    quoted: bool
    tokens: tuple[Token, ...] = ()
    supported: bool = True


@dataclass(frozen=True)
class Citation:
    """Where an answer rests: a topic's slug and title, the section, and its exact words."""

    topic: str
    title: str
    section: str
    quote: str


@dataclass(frozen=True)
class DemoCall:
    """A demo to open under the answer, with the inputs the question named."""

    slug: str
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Draft:
    """The answer so far: the finished sentences, checked, and the unfinished one."""

    text: str
    side: Side | None = None


@dataclass(frozen=True)
class Reply:
    """A finished answer. `spans` joined are the answer; empty when nothing was generated.

    reason: why the tutor abstained, in one sentence. from_memory: answered without the passages.
    """

    answer: str
    side: Side | None = None
    abstained: bool = False
    citations: tuple[Citation, ...] = ()
    demo: DemoCall | None = None
    follow_ups: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    topic: str | None = None
    reason: str = ""
    from_memory: bool = False
    seconds: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `seconds` has first_token and total."""
        return asdict(self)
