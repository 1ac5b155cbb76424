"""Sentences of an answer: cut out of the model's stream, counted, joined."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from explainers.reply import Span, Token


def sentences_of(tokens: Iterator[Token]) -> Iterator[str | Span]:
    """Finished sentences as spans; before each, the unfinished text as it grows."""
    held: list[Token] = []
    for token in tokens:
        text = "".join(one.text for one in held)
        if (
            re.search(r"[.!?][\"”]?$", text.strip())
            and token.text[:1].isspace()
            and not re.search(r"\b(?:e\.g|i\.e|vs|Dr|[A-Z])\.$", text)
        ):
            yield Span(text.strip(), quoted=False, tokens=tuple(held))
            held = []
        held.append(token)
        if "\n" in token.text:
            break  # the model begins a list or a new thought; what it was asked for ends here
        yield "".join(one.text for one in held)
    text = "".join(one.text for one in held).strip()
    if re.search(r"[.!?][\"”]?$", text):
        yield Span(text, quoted=False, tokens=tuple(held))


def count(spans: Sequence[Span]) -> int:
    """Sentences; a verdict such as "Yes." is not counted."""
    return sum(len(span.text) > 25 for span in spans)


def joined(spans: Sequence[Span]) -> str:
    return " ".join(span.text for span in spans)


def spaced(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Spans whose texts joined are the answer."""
    return tuple(
        replace(span, text=span.text + (" " if i + 1 < len(spans) else ""))
        for i, span in enumerate(spans)
    )
