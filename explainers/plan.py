"""Which sentences of the library answer a question, in which order: the backbone of an answer."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from explainers.continuing import in_order, open_weights
from explainers.facts import INVENTS, answers, tells_of, version_words, wanted
from explainers.grounding import content_words
from explainers.intent import Intent, core_question, sides_in
from explainers.library import Found, Library
from explainers.phrasing import READ
from explainers.ranking import Ranking
from explainers.reading import Reader
from explainers.topics import Passage
from explainers.verdicts import GOAL, GUESS, verdict_for

_ASKING = re.compile(
    r"^(?:(?:and|but|so|ok|please|hey|hi|can you|could you|what|wat|whats|what's|wats|is|are|was|does|do|an?|the|explain|describe|"
    r"define|definition of|meaning of|tell me|about|me|how|exactly|actually|really|mean by|is meant by|who|why|you|briefly|in short|"
    r"simple words|concept of|idea of|idea behind|to me|i want to know|i'd like to know)\b[\s:,]*)+", re.I)  # fmt: skip
_TRAILING = re.compile(
    r"[\s,]*\b(?:mean|means|works?|working|really|exactly|actually|please|in simple (?:words|terms)|simply|in short|"
    r"like i'?m (?:five|5|a child|ten)|for (?:a )?(?:kids?|child(?:ren)?|beginners?|dummies)|eli5|again|about|do|does|made of|all about|"
    r"to me|to a child)\b[\s?.!,]*$", re.I)  # fmt: skip
_WHAT_IS_IT = re.compile(
    r"\bwhat (?:on earth |exactly |really |the heck )?(?:is|are|does|do) (?:it|they|that|this|those|these|such a thing)\b(?=\s*(?:[?.!,;)]|$|exactly|really|actually|about|anyway|then|mean|called|all))|\bwhat (?:that|it|this|they) (?:is|are|means?)\b|\bnever heard of\b|\bno idea\b",
    re.I,
)
_WHO_ARE_YOU = re.compile(
    r"\b(?:what|who) (?:exactly |on earth )?are you|what (?:can|could|should|do)|new here", re.I
)
_STORY = re.compile(r"\b(?:analog\w+|metaphor|everyday|daily|real[- ]life|story|kitchen|school|comparison from|something from)\b", re.I)
_ONE_EXAMPLE = re.compile(r"\b(?:an?|one) (?:\w+ ){0,2}(?:example|case|instance|scenario)\b", re.I)
_GENERAL = content_words(
    "training train work explain process function job task basics introduction understand learn overview idea concept model "
    "ai system approach method technique thing mean definition abbreviation stand know tell earth walk step simple please dose hello nowadays today give comparison everyday life analogy real something school home"
)
_OF_NAMES = content_words("generation network algorithm")  # "autoregressive generation" is a model's doing
_CALLS = re.compile(
    r"\b(?:is|are|was|be|isn'?t|aren'?t|counts?|call(?:s|ed)?|class\w*|qualif\w+|uses?|using|runs? on|does|do|made (?:with|by)|or|vs|side|camp|kind|type|sort)\b"
    r"[^.?!]{0,40}\b(?:generative|gen ?ai|genai|creat(?:es?|ive|ing|ion)|machine learning|ml|ai|predict(?:s|ive|ing|ion)?)\b"
    r"(?:\s+ai)?\W*(?:$|[,.?!:]|right|or\b|too|really|at all|then|model|here|in it|inside|there)|"
    r"\b(?:generative|gen ?ai|genai|creat(?:es?|ive|ing|ion)|machine learning|ml|ai|predict(?:s|ive|ing|ion)?)\s*(?:or|vs\.?|/)|"
    r"\b(?:which|what) (?:side|camp|kind|type|sort)\b", re.I)  # fmt: skip
_BY_AI = re.compile(r"\b(?:written|drawn|painted|composed) by (?:an? )?(?:gen )?ai\b", re.I)
_CHOOSES = re.compile(
    r"\b(?:which|what) (?:technology|kind|type|sort|side|camp|tool|of (?:the|these|those) two|one)s?\b|\b(?:or|and) (?:both|neither)\b", re.I
)
_VERSUS = (
    re.compile(r"\b(?:mix(?:es|ed|ing)? up|confus(?:es?|ed|ing))\s+(?P<a>[\w -]{2,40}?)\s+(?:and|with|&)\s+(?P<b>[\w -]{2,40}?)\s*(?:[,.:;?!].*)?$", re.I),
    re.compile(r"\bhow (?:do|does|would) (?P<a>.+?)\s+(?:and|&)\s+(?P<b>.+?)\s+differ\b", re.I),
    re.compile(r"^(?:the )?(?P<a>[\w -]{2,30}?)\s+(?:and|&)\s+(?P<b>[\w -]{2,30}?)\s*[-–,:.?!].*\b(?:mix|confus|diff|same|apart)", re.I),
    re.compile(r"^(?P<a>[\w -]+?)\s*/\s*(?P<b>[\w -]+?)\s*(?:[-–,:?].*)?$", re.I),
    re.compile(r"\b(?:between|from)\s+(?P<a>.+?)\s+(?:and|versus|vs\.?|or|to|&)\s+(?P<b>.+?)[?.!]*$", re.I),
    re.compile(r"(?:compare[sd]?|distinguish|contrast|tell)\s+(?P<a>.+?)\s+(?:and|to|with|from|versus|vs\.?|against|&)\s+(?P<b>.+?)(?: apart)?[?.!]*$", re.I),
    re.compile(r"^(?:.*?\b(?:is|are|does|do)\s+)?(?P<a>.+?)\s+(?:different|differs?)\s+(?:from|to|than)\s+(?P<b>.+?)[?.!]*$", re.I),
    re.compile(r"^(?P<a>.+?)\s+(?:as opposed to|in contrast to|compared (?:to|with)|against|versus|vs\.?|v\.)\s+(?P<b>.+?)[?.!:,]*(?:\s*(?:what'?s |what is )?(?:the )?diff\w*.*)?$", re.I),
)  # fmt: skip
PRONOUN = re.compile(r"(?:it|that|this|they|those|these|that one|such a thing)", re.I)
NEAR_ITEM = 0.42  # least likeness of a described thing to an everyday example
_STATES = {
    "predict": re.compile(r"(?:predict|predicting|predictive) side|not (?:itself )?generative AI|is predict", re.I),
    "create": re.compile(r"(?:create|creating|creative) side|(?<!not )(?:is|are) generative AI", re.I),
    "both": re.compile(r"both (?:sides|kinds|ways|directions)|either side|neither side", re.I),
}
_THE_TWO = {"machine-learning", "generative-ai", "ml-versus-generative-ai", "classification"}
_MAKES = re.compile(
    r"\b(?:compos\w+|wrote|written|writes|draws|drew|drawn|paint\w*|generated|generates|invent\w*|made up|makes up)\b",
    re.I,
)
_SIDE_CLAUSE = re.compile(
    r"\b(?:which|what) (?:side|camp|kind|sort|type|form|of the two|one)\b|\b(?:ml|machine learning|predict\w*|generative|gen ?ai|create\w*|neither)\b.*\bor\b|"
    r"\b(?:count|class\w*|qualif\w+) as\b|^is (?:that|this|it)\b", re.I)  # fmt: skip
SURE_NAME = 0.9  # likeness of a thing's name from which nothing else is asked
SURE_SIDE = 0.7  # probability from which the side of an unlisted thing is told, as a guess
SURE_GOAL = 0.6  # the same for what somebody wants to reach
POSSIBLE = 0.5  # share of the likeliest side's probability from which an everyday example on another may be meant
LIKELY_ITEM = 0.12  # probability of the ranking from which an everyday example may be meant
BESIDE_GOAL = 0.3  # the same where a goal can be answered without one
SURE_ITEM = 0.08  # the same times the probability of its side, from which it is taken to be meant
SURE_FACT = 0.3  # probability of the ranking from which a sentence need not name most of the question's things
LOOKED_AT = 12  # sentences of the ranking among which an answer finds how to go on
SAME_THING = 0.72  # least likeness of a name in a question to a topic's or example's name


@dataclass(frozen=True)
class Plan:
    """What an answer is made of.

    opening: sentences to say first, word for word. more: good ones to go on with, best first.
    """

    topic: str
    side: str
    opening: tuple[Found, ...]
    more: tuple[Found, ...]
    verdict: str = ""
    length: int = 3  # sentences
    asked: str = ""  # the question with its topic's title in front, for the model, where it leans on what was said
    open: bool = False  # no sentence is sure to be the first: let the model choose among the evidence

    @property
    def evidence(self) -> tuple[Found, ...]:
        """The sentences that the language model reads, and is held to, best first."""
        return tuple({found.text: found for found in (*self.opening, *self.more)}.values())[:READ]


def subject_of(question: str) -> str:
    """What a question is about: `what exactly is a GAN?` -> `GAN`."""
    subject = _ASKING.sub("", question.strip().rstrip("?.! "))
    while (shorter := _TRAILING.sub("", subject)) != subject and shorter:
        subject = shorter
    return subject.strip(" \"'“”?.,!")


class Planner:
    """Plans for questions over one library."""

    def __init__(self, library: Library, ranking: Ranking, read: Reader) -> None:
        self._library, self._ranking, self._read = library, ranking, read
        self._goes_on = open_weights()

    def plan(self, question: str, intent: Intent, *, about: str | None = None) -> Plan | None:
        """The plan for a question that the library covers; `about` is the topic under discussion.

        None when a name, a year or a number is asked for that no passage gives.
        """
        plan = self._plan(question, intent, about)
        if plan is None:
            return None
        if intent.style == "short":
            kept = 2 if intent.kind == "comparison" else 1
            return replace(plan, opening=(*plan.opening, *plan.more)[:kept], more=(), length=kept, open=False)
        if intent.style == "simple":
            story = self._by_section(plan.topic)["Example"]
            return replace(plan, opening=(*plan.opening[:1], *story[:3]), more=story[3:], length=4)
        return plan

    def _plan(self, question: str, intent: Intent, about: str | None) -> Plan | None:
        if intent.kind == "about":
            if _WHO_ARE_YOU.search(question):
                return self._of(
                    "about-this-tutor", self._by_section("about-this-tutor")["In short"], ()
                )
            return self._sentences(question, intent, "about-this-tutor")
        if about and PRONOUN.fullmatch(subject_of(question)) and intent.kind in ("definition", "how", "other", "claim"):
            short, how = self._by_section(about)["In short"], self._by_section(about)["How it works"]
            return self._of(about, short[:2], (*short[2:], *how), length=4 if intent.kind == "how" else 3)
        if found := self._item_of(question, intent, about):
            return found
        if intent.kind == "which_side" and (found := self._which_side(question, intent, about)):
            return found
        if intent.kind == "which_side" and intent.either_or and not about:
            intent = self._needing(question, intent)
        if intent.kind == "comparison" and (found := self._comparison(question, about)):
            return found
        if intent.kind == "example" and _STORY.search(question) and (topic := about or self._library.mentioned(question)):
            return self.rest(topic, "another_example")
        if intent.kind in ("definition", "other") and (found := self._whole_topic(question)):
            return found
        if intent.kind == "example" and _ONE_EXAMPLE.search(question) and (found := self._example(question, about)):
            return found
        return self._sentences(question, intent, about)

    def _example(self, question: str, about: str | None) -> Plan | None:
        """For "a real case of X": the example of the topic that the ranking finds, unless it finds a better sentence."""
        best = self._ranking.rank(question, "example", about, keep=1)[0]
        if best.passage.section == "Example" or best.passage.names:
            return None
        return self.rest(about or self._library.mentioned(question) or best.passage.topic, "another_example")

    def rest(self, topic: str, kind: str, said: str = "") -> Plan:
        """More about a topic, said shorter, simpler, longer, with an example, or what it is.

        said: the first sentence of the answer before, which a shorter one keeps.
        """
        sections = self._by_section(topic)
        short, how, example = sections["In short"], sections["How it works"], sections["Example"]
        if kind == "shorter" and (kept := [one for one in self._all_of(topic) if one.text == said]):
            return self._of(topic, kept[:1], (), length=1)
        if kind in ("shorter", "definition"):
            kept = short[: 1 if kind == "shorter" else 2]
            return self._of(topic, kept, (), length=len(kept))
        if kind == "simpler":
            return self._of(topic, (short[0], *example[:3]), example[3:], length=4)
        if kind == "another_example":
            return self._of(topic, example[:3], example[3:], length=4)
        return self._of(topic, how[:2], how[2:], length=4)

    def item(self, passage: Passage) -> Plan:
        """Why an everyday example stands on its side: its own sentence, and what the side means."""
        return replace(self._item(passage, Intent("why")), verdict="")

    def knows_thing(self, thing: str) -> bool:
        """Is `thing`, or what it describes, near enough to an everyday example?"""
        return (
            bool(thing)
            and not PRONOUN.fullmatch(thing)
            and (
                self._thing(described(thing))[1] >= SAME_THING
                or self._nearest_item(described(thing))[1] >= NEAR_ITEM
            )
        )

    def named_topic(self, question: str) -> str | None:
        """The topic that the question calls by its name, if it does."""
        topic, likeness = self._named(subject_of(question))
        return topic if likeness >= SAME_THING + 0.06 else None

    def _whole_topic(self, question: str) -> Plan | None:
        """For a question that names a topic and asks nothing narrower: what it is, then how it works."""
        topic = self.named_topic(core_question(question)) or self.named_topic(question)
        mentioned = self._library.mentioned(question)
        if not topic and mentioned and (_WHAT_IS_IT.search(question) or not self._narrower(question, mentioned)):
            topic = mentioned
        if not topic:
            return None
        short = self._by_section(topic)["In short"]
        name = self._library.name_in(question) or subject_of(question)
        told = content_words(" ".join((self._library.topics[topic].title, *(found.text for found in short))))
        if not content_words(name) <= told:  # a part of the topic that has a name of its own
            return None
        lead = self._what_is(name)
        if lead and lead != short[0] and lead.passage.topic == topic:  # "recall" is more than its topic, evaluation metrics
            return self._of(topic, (lead,), in_order(self._library, lead, short, self._goes_on))
        return self._of(topic, short[:2], (*short[2:], *self._by_section(topic)["How it works"][:3]))

    def _part_of(self, topic: str, question: str, short: Sequence[Found]) -> Found | None:
        """The sentence on a thing that the topic treats beside its own subject, such as one method."""
        subject = subject_of(question)
        if len(subject.split()) > 4:
            subject = self._library.name_in(question)
        asked = content_words(subject) - _GENERAL
        known = content_words(" ".join((self._library.topics[topic].title, *(found.text for found in short))))
        if not asked or asked <= known:
            return None
        return next((f for f in self._nearest(question, self._all_of(topic)) if asked <= content_words(f.text)), None)

    def _narrower(self, question: str, topic: str) -> bool:
        """Does the question say more than the topic's names and words such as "training" or "explain"?"""
        names = " ".join((self._library.topics[topic].title, *self._library.topics[topic].aliases))
        return bool(content_words(question) - content_words(names) - _GENERAL)

    def _comparison(self, question: str, about: str | None) -> Plan | None:
        """For `A versus B`: what each one is, and the sentences that set both apart; "it" is the topic under discussion."""
        pair = next(
            (match.group("a", "b") for pattern in _VERSUS if (match := pattern.search(question))),
            None,
        )
        if not pair:
            return None
        one, other = (subject_of(re.split(r"[,;:(?]|\s[-–]\s", part)[0]) for part in pair)
        if about:
            one, other = (self._library.topics[about].title if PRONOUN.fullmatch(name) else name for name in (one, other))
        if self._is_both(one, other):
            return None  # one topic treats the two together, and the ranking knows its sentences
        named = {self._named(one)[0], self._named(other)[0]}
        if named <= _THE_TWO and "generative-ai" in named:
            sections = self._by_section("ml-versus-generative-ai")
            return self._of("ml-versus-generative-ai", sections["In short"][:3], sections["In short"][3:], length=4)
        first, second = self._what_is(one), self._what_is(other)
        if not first or not second or first.text == second.text:
            return None
        apart = self._apart(question, one, other, {first.text, second.text})
        return self._of(first.passage.topic, (first, second), apart, length=4)

    def _is_both(self, one: str, other: str) -> bool:
        """Does a topic's title name the two things together, as "bias and variance" does?"""
        topic, likeness = self._named(f"{one} and {other}")
        title = content_words(self._library.topics[topic].title)
        return likeness > 0.7 and all(title & content_words(name) for name in (one, other))

    def _what_is(self, name: str) -> Found | None:
        """The sentence that says what a thing is: its topic's first, or the best that speaks of it."""
        words = content_words(name) - _GENERAL - _OF_NAMES or content_words(name)
        topic, likeness = self._named(name)
        short = self._by_section(topic)["In short"][0]
        if likeness >= SAME_THING and words <= content_words(f"{short.passage.title} {short.text}"):
            return short
        ranked = self._ranking.rank(f"What is {name}?", "definition", keep=8)
        return next((found for found in ranked if words <= content_words(found.text)), None)

    def _apart(self, question: str, one: str, other: str, told: Collection[str]) -> tuple[Found, ...]:
        """The best sentences for a comparison, those that speak of both things first."""
        left, right = content_words(one), content_words(other)
        ranked = [found for found in self._ranking.rank(question, "comparison", keep=12) if found.text not in told]
        told_of = {found.text: content_words(f"{found.passage.title} {found.text}") for found in ranked}
        return tuple(sorted(ranked, key=lambda found: not (left & told_of[found.text] and right & told_of[found.text])))

    def _which_side(self, question: str, intent: Intent, about: str | None) -> Plan | None:
        """For `is X generative AI?`: X's own sentence, with a yes or no in front where one was asked for."""
        if about and PRONOUN.fullmatch(intent.thing):
            return self._side_of_topic(question, about, intent)
        thing = described(intent.thing)
        passage, likeness = self._thing(thing)
        topic, topic_likeness = self._named(thing)
        if max(likeness, topic_likeness) < SAME_THING:
            passage, likeness = self._nearest_item(thing)
            if likeness < NEAR_ITEM or not self._agrees(question, passage):
                return None if self._library.mentioned(thing) else self._unknown_thing(question)
        if passage is None or topic_likeness >= likeness - 0.02:
            return self._side_of_topic(question, topic, intent)
        return self._item(passage, intent)

    def _item_of(self, question: str, intent: Intent, about: str | None) -> Plan | None:
        """The everyday example that a question about sides surely means, by its name or by the ranking."""
        asked, either = sides_in(question)
        if about or intent.kind == "comparison" or not (asked or either or intent.kind == "which_side"):
            return None
        if intent.kind != "which_side" and not _CALLS.search(_BY_AI.sub("", question)):
            return None  # "can I trust what AI wrote?" speaks of a side, but does not ask for one
        intent = intent if intent.kind == "which_side" else replace(intent, asked_side=asked, either_or=either)
        if (known := self._ranking.known(question)) and known[0].passage.names:
            return self._item(known[0].passage, intent)
        passage, likeness = self._thing(described(intent.thing or question))
        if likeness >= SURE_NAME:
            return self._item(passage, intent)
        best = self._likely_item(question, BESIDE_GOAL if intent.goal else LIKELY_ITEM)
        return self._item(best.passage, intent) if best else None

    def _likely_item(self, question: str, least: float) -> Found | None:
        """The everyday example that both the search and the reader of the question's side take to be meant, if likely enough."""
        sides = self._read(question).sides
        found = [one for one in self._ranking.rank(question, "which_side") if one.passage.names and one.score >= least]
        best = max(found, key=lambda one: one.score * sides[one.passage.side], default=None)
        return best if best and best.score * sides[best.passage.side] >= SURE_ITEM else None

    def _item(self, passage: Passage, intent: Intent) -> Plan:
        """An everyday example's own sentence, and what its side means."""
        opening = tuple(Found(text, passage, 1.0) for text in passage.sentences)
        general = self._by_section("everyday-examples")["In short"]
        wanted = {"predict": "predicts", "create": "creates", "neither": "neither"}.get(passage.side, "\n")
        opening += tuple(found for found in general if wanted in found.text)[:1]
        verdict = verdict_for(intent, passage.side)
        return Plan(passage.topic, passage.side, opening, (), verdict, length=len(opening))

    def _unknown_thing(self, question: str) -> Plan:
        """For a thing in no list: the side of things like it, if that is likely enough; else how to find out."""
        general = self._by_section("everyday-examples")
        side, likely = self._likely_side(question)
        if likely < SURE_SIDE:
            return self._of("everyday-examples", general["How it works"][:4], (), length=4)
        said = {"predict": "predicts", "create": "creates", "neither": "neither", "both": "both"}[side]
        means = [found for section in ("In short", "How it works") for found in general[section] if said in found.text]
        plan = self._of("everyday-examples", means[:2], (), length=2)
        return replace(plan, side=side, verdict=GUESS[side])

    def _side_of_topic(self, question: str, topic: str, intent: Intent) -> Plan:
        sections = self._by_section(topic)
        stated = [found for found in (*sections["Side by side"], *sections["In short"], *sections["Common mistakes"])
                  if re.search(r"generative|side|predict|creat", found.text)]  # fmt: skip
        side = self._library.topics[topic].side
        ranked = self._nearest(question, stated or sections["Side by side"])
        ranked = tuple(sorted(ranked, key=lambda found: not _STATES[side].search(found.text)))
        if special := self._part_of(topic, intent.thing, sections["In short"]):
            known = "" if side == "both" else verdict_for(intent, side)  # a part may stand on one side only
            return replace(self._of(topic, (special,), ranked[:2], length=2), verdict=known)
        plan = self._of(topic, ranked[:1], ranked[1:3], length=2)
        return replace(plan, verdict=verdict_for(intent, side))

    def _sentences(self, question: str, intent: Intent, about: str | None) -> Plan | None:
        """The sentences nearest to the question: all topics', or those of the one under discussion."""
        ranked, known = self._ranked(question, intent, about), self._ranking.known(question, about)
        known = known if known and known[0].text == ranked[0].text else ()  # where they differ, the ranking is right more often
        ranked = [*known, *(one for one in ranked if one.text not in {k.text for k in known})]
        best, narrow = ranked[0], bool(wanted(intent.kind, question))
        if narrow and not known:
            best = self._holding(
                question, intent, ranked, about or self._library.mentioned(question)
            )
        if best is None:
            return None
        if best.passage.names and not intent.goal:
            return replace(self._item(best.passage, intent), verdict="")
        topic = best.passage.topic
        sections = self._by_section(topic)
        if narrow and not known:
            return self._of(topic, (best,), sections["In short"], length=2)
        then = in_order(self._library, best, ranked[:LOOKED_AT], self._goes_on)
        close = list(itertools.islice(then, READ))
        asked = f"{self._library.topics[about].title}: {question}" if about else question
        plan = replace(self._of(topic, (best,), close), asked=asked, open=not known)
        return replace(plan, verdict=GOAL[intent.goal], side=intent.goal) if intent.goal else plan

    def with_goal(self, question: str, intent: Intent) -> Intent:
        """The intent of who asks what to use, with the side that the goal needs, if that is sure."""
        chooses = intent.kind == "which_one" or (intent.kind in ("claim", "other") and _CHOOSES.search(question))
        return self._needing(question, intent) if chooses else intent

    def _needing(self, question: str, intent: Intent) -> Intent:
        side, likely = self._likely_side(question)
        return replace(intent, goal=side if likely >= SURE_GOAL else intent.goal)

    def _agrees(self, question: str, item: Passage) -> bool:
        """Does the reader think it possible that the question speaks of something on the item's side?"""
        sides = self._read(question).sides
        return sides[item.side] >= POSSIBLE * max(sides.values())

    def _likely_side(self, question: str) -> tuple[str, float]:
        """The side that a thing or a goal probably stands on, and how probably."""
        return max(self._read(question).sides.items(), key=lambda one: one[1])

    def _holding(self, question: str, intent: Intent, ranked: Sequence[Found], topic: str | None) -> Found | None:
        """The best sentence that holds the name, year or number that was asked for, of the right thing."""
        own = self._nearest(question, self._all_of(topic)) if topic else ()
        holding = [
            one for one in (*own, *ranked[:8])
            if answers(intent.kind, question, one.text) and (topic or one.score >= SURE_FACT or tells_of(question, one))
            and version_words(question) <= version_words(one.text)
        ]  # fmt: skip
        first = [one for one in holding if intent.kind != "who" or INVENTS.search(one.text)]
        return next(iter(first or holding), None)

    def _ranked(self, question: str, intent: Intent, about: str | None) -> list[Found]:
        """The ranking, without everyday examples on another side than the goal's."""
        ranked = self._ranking.rank(question, intent.kind, about)
        return [one for one in ranked if not (one.passage.names and intent.goal not in ("", one.passage.side))]

    # ------------------------------------------------------------------ looking things up

    def _of(self, topic: str, opening: Sequence[Found], more: Sequence[Found], *, length: int = 3) -> Plan:
        return Plan(topic, self._library.topics[topic].side, tuple(opening), tuple(more), length=length)

    def _by_section(self, topic: str) -> dict[str, tuple[Found, ...]]:
        return {p.section: tuple(Found(text, p, 1.0) for text in p.sentences)
                for p in self._library.topics[topic].passages if not p.names}  # fmt: skip

    def _nearest(self, question: str, sentences: Sequence[Found]) -> tuple[Found, ...]:
        likeness = (
            self._library.embed([found.text for found in sentences])
            @ self._library.embed([question])[0]
        )
        scored = [
            replace(one, score=float(score)) for one, score in zip(sentences, likeness, strict=True)
        ]
        return tuple(sorted(scored, key=lambda one: -one.score))

    def _all_of(self, topic: str) -> tuple[Found, ...]:
        return tuple(found for section in self._by_section(topic).values() for found in section)

    def _nearest_item(self, question: str) -> tuple[Passage, float]:
        """The everyday example that a longer question describes, and how alike."""
        sides = (
            ("create", "both")
            if _MAKES.search(question)
            else ("predict", "create", "both", "neither")
        )
        likeness, index = self._library.described_item(question, sides)
        return self._library.passages[index], likeness

    def _named(self, name: str) -> tuple[str, float]:
        """The topic called most like `name`, and how alike."""
        likeness, entry = self._library.best(name, "name")
        return entry.topic, likeness

    def _thing(self, name: str) -> tuple[Passage | None, float]:
        """The everyday example called most like `name`, and how alike."""
        likeness, entry = self._library.best(name, "item_name")
        return (self._library.passages[entry.passage], likeness) if entry else (None, 0.0)


def described(thing: str) -> str:
    """The clauses of a message that describe a thing, without those that only ask for its side."""
    clauses = [one for one in re.split(r"[.?!;:]\s*|,\s+|\s+[-–]\s+", thing) if one.strip()]
    rest = " ".join(one for one in clauses if not _SIDE_CLAUSE.search(one)) or thing
    return re.sub(
        r"\b(?:ordinary|normal|usual|standard|simple|plain|regular|my|your|our)\s+", "", rest
    )
