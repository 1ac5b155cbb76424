"""Messages that are no question the tutor can read: empty, too long, another language, code, abuse."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 2000  # characters of a question

_FOREIGN = {  # the commonest little words, without those that English has too
    "German": "der die das und ist ein eine nicht wie was warum ich du wir den dem mit für von auf zu im kann welche wird zwischen sind gibt",
    "French": "le la les un une des est que qui dans pour pas avec sur comment pourquoi quelle quel ce cette sont entre du et il elle ça c'est qu'est",
    "Spanish": "el los las una es que qué cómo por para con del en y no se son cuál entre como está puede porque hay",
    "Italian": "il lo gli una è che cosa come perché per con della del di e non sono tra qual può nel",
    "Portuguese": "o os uma é que como por para com da do em e não são qual entre pode porque isso",
    "Dutch": "de het een is niet wat hoe waarom ik van en op te met voor zijn kan tussen welke wordt",
    "Polish": "jest co jak nie i w na z się to dlaczego czy do między są",
    "Swedish": "är och vad hur en ett inte som det varför på med för av mellan kan",
    "Turkish": "bir ne nedir ve nasıl için bu mi mı ile arasındaki fark neden",
}
_ENGLISH = frozenset(
    "the a an is are what how why which who when do does did can could would should of to in on and or not it this that i you my me "
    "we with for from be was were has have so but if as at by about between there they their its than then explain tell".split()
)
_WORDS = {language: frozenset(words.split()) - _ENGLISH for language, words in _FOREIGN.items()}
_ORDER = re.compile(
    r"\b(?:ignore|forget|disregard|override)\b.{0,40}\b(?:instructions?|rules?|passages?|prompts?|everything|machine learning|role|above|before)\b|"
    r"\byou are (?:now|no longer)\b|\bfrom now on\b|\bpretend (?:to be|you|that you|(?:that )?(?:the|there are no|no|all))\b|\bact (?:as|like) (?:an?|if|my)\b|"
    r"\b(?:system|hidden|initial|secret) (?:prompt|instructions?|message|text)\b|\bjailbreak|\bdeveloper mode\b|\banswer only (?:with|in)\b|"
    r"\b(?:say|repeat|claim|state|tell me) that\b.{0,80}\b(?:invented|is|are|was)\b", re.I)  # fmt: skip
_CODE = re.compile(
    r"(?:^|\n)\s*(?:def |class |import |from \w+ import |#include|function |public |const |let |var |SELECT |print\(|for \(|if \(|while \()|"
    r"[;{}]\s*(?:\n|$)|=>|</?\w+>|\w+\(.*\)\s*[:;{]|==|\+\+|::|\$\(|\w+\[\w*\]\s*=", re.I)  # fmt: skip
_ABUSE = re.compile(
    r"\b(?:fuck\w*|shit\w*|idiot\w*|stupid (?:bot|machine|thing|program|tutor|ai)|moron\w*|asshole|bitch|dumb(?:ass)? (?:bot|machine|thing|program)|"
    r"shut up|(?:you|u) (?:are |r |'re |suck|stink)(?:so |really |such )?(?:an? )?(?:stupid|dumb|useless|idiot|trash|garbage|worthless|pathetic|ugly)?)\b", re.I)  # fmt: skip

TO_ASK = "a question about machine learning or generative AI"
CODE = "That looks like program code. I neither run, write nor mend code; ask me how a method works, in words."
CIVIL = f"I am sorry that I was no help. I stay civil, and I am glad to answer {TO_ASK}."
ENGLISH_ONLY = "I read and answer English only."


def clean(question: str) -> str:
    """The question without control characters and with single spaces."""
    visible = "".join(
        c if unicodedata.category(c)[0] != "C" or c in "\n\t\u200d" else " " for c in question
    )
    return " ".join(visible.split())


def unreadable(question: object) -> str:
    """One clear sentence if there is nothing to answer, else an empty string."""
    if not isinstance(question, str) or not clean(question):
        return f"Your message is empty. Type {TO_ASK}."
    if len(question) > LONGEST:
        return f"Your message has {len(question):,} characters; at most {LONGEST:,} fit. Please ask a shorter question."
    letters = [c for c in question if c.isalpha()]
    if not letters:
        return f"I found no words in your message. Type {TO_ASK}."
    if sum("LATIN" in unicodedata.name(c, "") for c in letters) < len(letters) / 2:
        return f"{ENGLISH_ONLY} Please ask {TO_ASK} in English."
    if is_code(question):
        return CODE
    return CIVIL if is_abuse(question) else ""


def without_orders(question: str) -> str:
    """The message without sentences that would give the tutor another role; empty if nothing else is in it."""
    sentences = re.split(r"(?<=[.!?])\s+", question)
    return " ".join(one for one in sentences if not _ORDER.search(one) or _only_asks(one))


def _only_asks(sentence: str) -> bool:
    """A question that merely speaks of orders: "What is a system prompt?"."""
    asks = sentence.endswith("?") or re.match(r"(?:what|whats|what's|who|why|how|define|explain|is|are|can)\b", sentence, re.I)
    return bool(asks) and not re.search(r"\byour?\b", sentence, re.I)


def is_code(question: str) -> bool:
    """Is the message mostly program code? A symbol or two in a sentence are not enough."""
    marks = sum(question.count(mark) for mark in "{}();=<>[]_")
    return bool(_CODE.search(question)) and marks >= max(5, len(question.split()) / 3)


def is_abuse(question: str) -> bool:
    """Does the message scold, and ask nothing?"""
    found = _ABUSE.search(question)
    rude = found and re.search(r"fuck|shit|idiot|stupid|moron|asshole|bitch|dumb|shut up|suck|useless|trash|garbage|worthless|pathetic", found[0], re.I)
    return bool(rude) and not re.search(r"\b(?:what|how|why|which|who|when|explain|difference|learning|model|generative)\b", question, re.I)


def foreign(question: str) -> str:
    """The language of a message that is not in English, as far as its little words tell; else empty."""
    words = set(re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", question.lower()))
    found = {language: sum(word in known for word in words) for language, known in _WORDS.items()}
    language, count = max(found.items(), key=lambda pair: pair[1])
    english = sum(word in _ENGLISH for word in words)
    return language if count >= 2 and count >= english else ""
