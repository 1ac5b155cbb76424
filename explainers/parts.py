"""A message that asks for two things, in its two parts."""

from __future__ import annotations

import re

_TWO_THINGS = re.compile(
    r"(?!.*\bbetween\b)(?P<one>(?:explain|describe|define|what (?:is|are)) .+?) and (?P<other>(?:the|an?|my|your) .+)", re.I
)
_WISHES = re.compile(
    r"\?$|^(?:(?:please|also|then|so|ok|well|hi|and|but|can you|could you)[ ,]+)*"
    r"(?:who|whose|what|what's|whats|how|why|when|where|which|is|are|does|do|did|can|could|should|will|write|tell|give|explain|"
    r"describe|define|compare|show|find|recommend|book|translate|name|code|program|i want|i'd like|i need)\b", re.I)  # fmt: skip
_TWO_WISHES = re.compile(
    r"(?<=[?.!])\s+(?:and\s+|also\s+)?|[,;]?\s+(?:and|but|plus|also)\s+(?=(?:also |then )?"
    r"(?:who|whose|what|how|why|when|where|will|is|are|does|do|did|can|could|should|which|"
    r"write|tell|give|explain|show|find|recommend|book|translate|name|code|program|please|can you)\b)", re.I)  # fmt: skip


def parts_of(question: str) -> list[str]:
    """The parts of a message that asks for two things; none if it asks for one."""
    parts = [part.strip(" ,;") for part in _TWO_WISHES.split(question) if len(part.split()) > 1]
    if len(parts) == 2 and all(_WISHES.search(part) for part in parts):
        return parts
    two = _TWO_THINGS.match(question)
    return [two["one"], two["other"]] if two else []
