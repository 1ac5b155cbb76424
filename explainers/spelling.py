"""Puts misspelt words right, with the topics' own words first and ordinary English second."""

from __future__ import annotations

import difflib
import re
import string
from collections.abc import Collection, Iterator, Sequence

SPELT = 0.82  # least likeness (difflib) of a misspelt word to a word of the topics that was meant
COMMON = 15_000  # so many of the ordinary words, the commonest, may have been meant
_SHORTHAND = dict(
    pair.split("=")
    for pair in (
        "u=you ur=your r=are y=why hw=how hwo=how wat=what wut=what wht=what waht=what whats=what's wats=what's "
        "wots=what's wot=what duz=does dose=does dos=does doess=does pls=please plz=please teh=the hte=the "
        "taht=that thier=their becuz=because bcuz=because cuz=because coz=because b4=before gr8=great thru=through "
        "tho=though kno=know knw=know abt=about btwn=between btw=between diff=difference diffs=differences "
        "sumthing=something smth=something sth=something ppl=people cn=can cud=could shud=should wud=would "
        "wen=when wich=which wiht=with wit=with iz=is im=i'm dont=don't doesnt=doesn't cant=can't isnt=isn't "
        "arent=aren't wont=won't didnt=didn't lik=like mak=make mek=make tel=tell giv=give hav=have evry=every "
        "gona=going gonna=going wanna=want fr=for frm=from liek=like jsut=just adn=and nd=and tha=the dat=that "
        "dis=this dey=they"
    ).split()
)
_ONLY_IN = {"dose": r"\bhow dose\b|\bdose (?:it|a|an|the)\b", "dos": r"\bhow dos\b", "btw": r"\bbtw \w+ (?:and|n|vs)\b"}


class Speller:
    """own: words of the topics. english: ordinary words, the commonest first; these are left alone."""

    def __init__(self, own: Collection[str], english: Sequence[str] = ()) -> None:
        self._own = frozenset(own)
        self._rank = {word: rank for rank, word in enumerate(english)}
        self._by_letters = {_letters(word): word for word in sorted(self._own)}

    def respell(self, text: str) -> str:
        """The text with misspelt words put right, where a word is close enough to be sure."""
        return re.sub(r"[A-Za-z][A-Za-z'’]*\d?", lambda found: self._mended(found[0], text), text)

    def _mended(self, word: str, text: str) -> str:
        lower = word.lower()
        if (meant := _SHORTHAND.get(lower)) and re.search(_ONLY_IN.get(lower, ""), text, re.I):
            return word if word.isupper() and not text.isupper() else meant  # "UR" and "DOS" are names
        if len(word) < 4 or not word.isalpha() or self._is_word(lower) or (lower.endswith("s") and self._is_word(lower[:-1])):
            return word
        return self._like_own(lower) or (word.islower() and self._like_english(lower)) or word

    def _is_word(self, word: str) -> bool:
        return word in self._own or word in self._rank

    def _like_own(self, word: str) -> str:
        if swapped := self._by_letters.get(_letters(word)):
            return swapped
        near = difflib.get_close_matches(word, self._own, n=3, cutoff=SPELT)
        return max(near, key=lambda one: _likeness(word, one), default="")

    def _like_english(self, word: str) -> str:
        """The commonest word that is one letter away, for words of five letters or more."""
        near = [one for one in one_off(word) if self._rank.get(one, COMMON) < COMMON] if len(word) > 4 else []
        return min(near, key=self._rank.__getitem__, default="")


def _likeness(typed: str, meant: str) -> float:
    """A letter is mistaken more often than left out."""
    return difflib.SequenceMatcher(None, typed, meant).ratio() + 0.05 * (len(typed) == len(meant))


def one_off(word: str) -> Iterator[str]:
    """Every string that is one letter more, less, other or swapped (Norvig, 2007)."""
    for at in range(len(word) + 1):
        before, after = word[:at], word[at:]
        for letter in string.ascii_lowercase:
            yield before + letter + after
            yield before + letter + after[1:]
        yield before + after[1:]
        yield before + after[1:2] + after[:1] + after[2:]


def _letters(word: str) -> tuple[str, str]:
    """What stays the same when letters within a word are swapped."""
    return word[:1], "".join(sorted(word))
