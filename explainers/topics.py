"""Read and validate the topic files: one topic is one Markdown file in `topics/`.

A list item of the form `- **Name / alias** (predict): sentence` is an everyday example: a passage
of its own, with a side of its own (`neither` is allowed there).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECTIONS = ("In short", "How it works", "Example", "Side by side", "Common mistakes")
SIDES = ("predict", "create", "both")
KEYS = {"title": str, "side": str, "aliases": list, "questions": list, "demos": list,
        "related": list, "sources": list}  # fmt: skip
SOURCE_KEYS = ("title", "authors", "year", "url")
FOLDER = Path(__file__).parent / "topics"

_ITEM = re.compile(
    r"^- \*\*(?P<names>[^*]+)\*\* \((?P<side>predict|create|both|neither)\): (?P<text>.+)$", re.M
)
_SENTENCE_END = re.compile(r"(?:(?<=[.!?])|(?<=[.!?][\"”’']))\s+(?=[A-Z0-9\"“‘'])")
_NO_END = re.compile(r"\b(?:[A-Z]|e\.g|i\.e|Dr|Mr|Mrs|St|vs|v|al)\.$")


class TopicError(ValueError):
    """A topic file is wrong. The text names the file, the place and the cure, for its author."""


@dataclass(frozen=True)
class Source:
    """Where a topic's facts come from."""

    title: str
    authors: str
    year: int
    url: str


@dataclass(frozen=True)
class Passage:
    """What is found and cited: a section of a topic, or one everyday example in it."""

    topic: str
    title: str
    section: str
    side: str
    text: str
    names: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        return split_sentences(self.text)


@dataclass(frozen=True)
class Topic:
    """One topic file, checked."""

    slug: str
    title: str
    side: str
    aliases: tuple[str, ...]
    questions: tuple[str, ...]
    demos: tuple[str, ...]
    related: tuple[str, ...]
    sources: tuple[Source, ...]
    passages: tuple[Passage, ...] = field(repr=False)

    @property
    def sections(self) -> Mapping[str, str]:
        return {one.section: one.text for one in self.passages if not one.names}


def split_sentences(text: str) -> tuple[str, ...]:
    """The sentences of plain prose. Initials and common abbreviations do not end one."""
    sentences: list[str] = []
    for part in _SENTENCE_END.split(" ".join(text.split())):
        if sentences and _NO_END.search(sentences[-1]):
            sentences[-1] += " " + part
        elif part:
            sentences.append(part)
    return tuple(sentences)


def load_topics(folder: Path = FOLDER) -> dict[str, Topic]:
    """All topics by slug. Raises TopicError for the first thing that is wrong."""
    topics = {path.stem: read_topic(path) for path in sorted(folder.glob("*.md"))}
    asked: dict[str, str] = {}
    for topic in topics.values():
        for slug in topic.related:
            if slug not in topics:
                raise TopicError(
                    f"{topic.slug}.md: `related` names {slug!r}, which has no file. Remove or write it."
                )
        for question in topic.questions:
            other = asked.setdefault(question.lower(), topic.slug)
            if other != topic.slug:
                raise TopicError(
                    f"{other}.md and {topic.slug}.md both have the question {question!r}. Keep it in one."
                )
    return topics


def read_topic(path: Path) -> Topic:
    """One topic file. Raises TopicError."""
    meta, body = _split_file(path)
    _check_meta(path, meta)
    sources = tuple(_source(path, one) for one in meta["sources"])
    listed = {
        key: tuple(map(str, meta[key])) for key in ("aliases", "questions", "demos", "related")
    }
    passages = tuple(_passages(path, meta, body))
    return Topic(
        slug=path.stem,
        title=meta["title"],
        side=meta["side"],
        sources=sources,
        passages=passages,
        **listed,
    )


def _split_file(path: Path) -> tuple[dict[str, Any], str]:
    import yaml

    parts = path.read_text(encoding="utf-8").split("---\n", 2)
    if len(parts) != 3 or parts[0].strip():
        raise TopicError(
            f"{path.name}: the file has to begin with front matter between two lines of `---`."
        )
    try:
        return yaml.safe_load(parts[1]), parts[2]
    except yaml.YAMLError as problem:
        raise TopicError(
            f"{path.name}: the front matter is not YAML ({problem}). Quote text with a colon."
        ) from None


def _check_meta(path: Path, meta: Any) -> None:
    if not isinstance(meta, dict):
        raise TopicError(f"{path.name}: the front matter is empty. It needs {', '.join(KEYS)}.")
    if unknown := set(meta) - set(KEYS):
        raise TopicError(f"{path.name}: unknown key {min(unknown)!r}. Known: {', '.join(KEYS)}.")
    for key, kind in KEYS.items():
        if not isinstance(meta.get(key), kind):
            raise TopicError(
                f"{path.name}: `{key}` is missing or not a {kind.__name__}. Add it to the front matter."
            )
        if kind is list and key != "sources" and (odd := [one for one in meta[key] if not isinstance(one, str)]):
            raise TopicError(f"{path.name}: `{key}` holds {odd[0]!r}. Put quotation marks around text with a colon.")
    if meta["side"] not in SIDES:
        raise TopicError(
            f"{path.name}: `side` is {meta['side']!r}. Make it one of {', '.join(SIDES)}."
        )
    if len(meta["questions"]) < 8:
        raise TopicError(
            f"{path.name}: {len(meta['questions'])} questions. Write eight or more, as people type them."
        )


def _source(path: Path, given: Any) -> Source:
    if not isinstance(given, dict) or set(given) != set(SOURCE_KEYS):
        raise TopicError(
            f"{path.name}: a source needs exactly {', '.join(SOURCE_KEYS)}; this one is {given!r}."
        )
    return Source(**given)


def _passages(path: Path, meta: dict[str, Any], body: str) -> list[Passage]:
    parts = re.split(r"^## (.+)$", body, flags=re.M)
    headings = tuple(one.strip() for one in parts[1::2])
    if headings != SECTIONS:
        raise TopicError(
            f"{path.name}: the sections are {', '.join(headings)}. They have to be {', '.join(SECTIONS)}."
        )
    passages = []
    common = {"topic": path.stem, "title": meta["title"]}
    for section, text in zip(headings, parts[2::2], strict=True):
        prose = " ".join(_ITEM.sub("", text).split())
        if not text.strip() or "- **" in prose:
            raise TopicError(f"{path.name}: the section {section!r} is empty or has an item that is not of the form "
                             "`- **Name** (predict): sentence`. Mend it.")  # fmt: skip
        if prose:
            passages.append(Passage(**common, section=section, side=meta["side"], text=prose))
        for item in _ITEM.finditer(text):
            names = tuple(name.strip() for name in item["names"].split("/"))
            passages.append(
                Passage(
                    **common, section=section, side=item["side"], text=item["text"], names=names
                )
            )
    return passages
