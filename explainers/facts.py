"""Does a sentence hold the name, year or number that a question asks for, and of the right thing?"""

from __future__ import annotations

import re

from explainers.grounding import content_words
from explainers.library import Found

LEAST_THINGS = 0.6  # least share of a question's things that the sentence with its answer has to name
_COUNTING = content_words(
    "many much percent percentage number numbers accuracy accurate price cost costs share year years invent invented inventor "
    "introduce introduced first idea paper create created develop developed people person team group began begin started start "
    "have has does did big large old long came come up coined proposed discovered found published wrote size exact"
)
_NUMBER = re.compile(
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|hundreds?|thousands?|millions?|billions?|half|few|many|little|much|more|less)\b",
    re.I,
)
_NAME = re.compile(r"[A-Z][a-z]+ (?:[A-Z]\. )?(?:[a-z]+ )?[A-Z][a-z]+|\bcolleagues\b")
INVENTS = re.compile(
    r"introduc|invent|propos|describ|develop|present|coin|first|paper|name|publish|built|creat",
    re.I,
)
_WANTED = {
    "when": (re.compile(r"invent|introduc|start|beg[aiu]n|first|creat|made|publish|\bold\b|coin|c[oa]me|release|born|appear|built|long ago|year", re.I),
             re.compile(r"\b(?:1[89]|20)\d\d\b|\bcentury\b")),
    "number": (re.compile(r"\bhow (?:many|much|big|large|accurate|old)\b|percent|price|number|share|accuracy|score|cost|salary", re.I), _NUMBER),
    "who": (re.compile(r"paper|idea|thought|behind|credit|invent|introduc|creat|coin|c[oa]me up|develop|discover|found|propos|publish|wrote|first|father", re.I), _NAME),
}  # fmt: skip


def answers(kind: str, question: str, sentence: str) -> bool:
    """Does a sentence hold the kind of thing that was asked for, if that is a name, year or number?"""
    pattern = wanted(kind, question)
    return pattern is None or bool(pattern.search(sentence))


def tells_of(question: str, found: Found) -> bool:
    """Does the sentence, in its passage, speak of the things that the question names?"""
    things = content_words(question) - _COUNTING
    there = content_words(f"{found.passage.title} {found.text}")
    return len(things & there) >= LEAST_THINGS * len(things)


def version_words(text: str) -> set[str]:
    """Words with figures in them that name a thing, such as `gpt-4`, and years."""
    return set(re.findall(r"\b[a-z]+-?\d+\b|\b(?:19|20)\d\d\b", text.lower()))


def wanted(kind: str, question: str) -> re.Pattern[str] | None:
    """What an answer has to hold: "who" wants a name only with a verb of invention, and so on."""
    asks, pattern = _WANTED.get(kind, (None, None))
    return pattern if asks and asks.search(question) else None
