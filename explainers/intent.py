"""What does a message want: a demo with which input, or an answer of which kind?

Rules, not a model: they are fast, they can be read, and a wrong one can be mended. Each demo brings
the phrases that ask for it ("draw {prompt}"), so a new demo needs no change here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from explainers.small_talk import small_talk

QUOTED = re.compile(r"[\"“”„«»]([^\"“”„«»]{2,})[\"“”„«»]|(?<!\w)['‘’`](.{2,}?)['’`](?!\w)")

_KINDS: tuple[tuple[str, str], ...] = (
    ("shorter", r"^(?:(?:and|but|ok|sorry|hmm?|oh|well|uh|can you|could you|please|make (?:it|that)|say (?:it|that)|put (?:it|that)|keep it|cut it|a bit|much|in|into|to|as|just|all)\W+)*(?:shorter|briefer|brief|short|tl;?dr|(?:a |one |1 |single )+(?:short )?(?:sentence|line)|half as long|half (?:the|that) length|in a nutshell|less words|fewer words|sum (?:it|that) up|too long)\b.{0,40}$"),
    ("simpler", r"^(?!simply \w+ \w+)(?:(?:now|and|but|ok|sorry|hmm?|oh|well|uh|can you|could you|please|make it|say it|explain (?:it|that|this)|put it|a bit|much|in|more)\W+)*(?:simpler|simple|simply|easier|plain (?:words|english)|eli5|(?:like|as if) i'?(?:m| was| were| am) (?:five|5|six|6|seven|a child|a kid|ten|10)|(?:in )?other words|once more(?: in other words)?|again|rephrase|for (?:a )?(?:kids?|child(?:ren)?)|i (?:don'?t|didn'?t|did not|do not) (?:get|understand|follow)(?: it| that| this)?|too (?:hard|complicated|difficult))\b.{0,40}$"),
    ("another_example", r"^(?:(?:and|but|ok|sorry|hmm?|oh|well|uh|can you|could you|please|give me|show me|have you got|got|do you have|any|what'?s|is there)\W+)*(?:another|one more|a different|a real(?:-life)?|an?|any|some|more|other|further)? ?(?:concrete |everyday |other )?examples?(?: (?:of|for) (?:it|this|that|them|those))?(?: please| then)?[ ?!.]*$|^(?:(?:and|but|ok|sorry|hmm?|oh|well|uh|please|give me|show me)\W+)*(?:one more|another(?: one)?)(?: please| then)?[ ?!.]*$"),
    ("longer", r"^(?:(?:and|but|ok|sorry|hmm?|oh|well|uh|can you|could you|please|go|into|in|give me|a bit)\W+)*(?:tell me more|deeper|(?:more|further|some) details?|more please|go on|continue|say more|elaborate|explain more|more|and then|what else)\b.{0,30}$"),
    ("comparison", r"^[\w -]{3,30}/[\w -]{3,30}\b.*\bwhich\b"),
    ("example", r"\b(?:analogy|metaphor|everyday life|real life|daily life|something from (?:school|home|life|work|the kitchen)|for instance)\b"),
    ("comparison", r"\b(?:differen(?:t|ce|ces|tiate)|differs?|diff(?:rence)?|distinguish|compare[sd]?|comparison|versus|vs\.?|as opposed to|tell .+ apart)\b"),
    ("comparison", r"\bwhich (?:of (?:the )?(?:two|them|these|those)|one|kind|type|side)\b.{0,12}\b(?:costs|needs|eats|consumes|takes|(?:is|are) (?:the )?(?:\w+er|more \w+|less \w+|better|worse))\b(?!.{0,20}\bfor me\b)"),
    ("which_one", r"\b(?:predictive model|predictive ai|classifier|machine learning|ml)\b.{0,12}\bor\b.{0,12}\b(?:chatbot|generative|gen ?ai|language model|image generator)|\b(?:chatbot|generative ai|gen ?ai|language model|image generator)\b.{0,12}\bor\b.{0,12}\b(?:predictive|classifier|machine learning|ml)\b.{0,10}\?"),
    ("which_one", r"\b(?:which|what) (?:technology|of the two|kind of ai|type of ai|sort of ai|side)\b.{0,20}\b(?:would|should|could|can|do|does|makes?|helps?)\b"),
    ("which_one", r"\b(?:which|what)\b.{0,40}\b(?:should|would|do|must|could|can) (?:i|we|you|one|they|somebody|someone)\b.{0,20}\b(?:use|need|take|choose|pick|want|go for|for)\b|\b(?:should|do|would) (?:i|we) (?:use|need|take|pick|choose)\b|\bwhich (?:one|kind|type|side|approach|tool) (?:is (?:right|better|best)|fits|suits|do|for|to)\b|\bwhat (?:kind|type) of ai (?:do|would|should)\b"),
    ("example", r"\b(?:example|examples|for instance|(?:real|concrete|actual|true) (?:case|story|instance)|one case|use case|use cases|where (?:is|are|do|does) .+ (?:used|meet|find))\b"),
    ("claim", r",? (?:right|correct|true|isn'?t it|aren'?t they|doesn'?t it|don'?t they|no|yes|ok)\s*\?+$"),
    ("about", r"\b(?:what|who) (?:exactly |on earth )?are you\b|\bwhat (?:can|could|should|do) (?:you do|i ask|you know|you cover|you explain)|\b(?:my|our) (?:questions?|data|messages?|chats?|words|conversations?) (?:go|leave|get|end|stored|saved|sent|kept|private|safe|be|stay|used|seen)|\bdo you (?:have|feel|own) (?:any )?(?:feelings?|emotions?|opinions?|a soul|a body|pain|love)\b|\bare you (?:an? )?(?:bot|robot|human|person|ai|llm|language model|chat ?gpt|real|alive|conscious|gpt|generative|machine)|\bhow do you (?:work|answer|know|come up|find|decide)|\bwhere do you (?:run|live|get)|\bwho (?:made|built|wrote|trained|programmed) you\b|\bwhich (?:language )?model (?:do|are) you\b|\bdo you (?:google|use the internet|learn from|remember|store|save|send|collect|track|lie|hallucinate|make mistakes|make things up)|\bcan i (?:trust|believe) you|\b(?:i'?m|i am) new here|\bwho am i (?:talking|speaking|chatting|writing)|\bwhat (?:else )?(?:can|could) you show\b|\b(?:inside|behind|in|of|does|is|can|about) (?:this|the) (?:very )?(?:tutor|chat|site|website|web ?page|page here)\b"),
    ("who", r"^(?:and |but |so )?(?:who|whose|by whom)\b|\b(?:which|what) (?:paper|person|people|team|researchers?|scientists?|inventor|group)\b|\bwho (?:invented|made|introduced|created|came up)"),
    ("when", r"^(?:and |but |so )?(?:when|since when)\b|\b(?:what|which) year\b|\bhow (?:old|long ago)\b"),
    ("number", r"\bhow (?:many|much|big|large|accurate|fast|expensive|often|good)\b|\b(?:what|which) (?:accuracy|percentage|percent|price|cost|share|number|score|size)\b|\bwhat(?:'s| is| are| was) the (?:exact )?(?:accuracy|price|cost|number|percentage|salary|budget|revenue|market share)\b"),
    ("how", r"^(?:and |but |so |ok )?(?:how(?! come)|hw)\b|\bwalk me through\b|\bstep by step\b|\bhow (?:do|does|is|are|can|did)\b|\bworks?\?*$|^explain how\b"),
    ("why", r"^(?:and |but |so |ok )?(?:why|what for|how come)\b|\bwhy (?:do|does|is|are|can|did)\b"),
    ("yes_no", r"^(?:and |but |so |ok |wait,? )?(?:is|are|isn't|aren't|do|does|don't|doesn't|can|can't|could|will|would|has|have|did|was|were|should)\b"),
    ("definition", r"^(?:and |but |so |ok )?(?:what|wat|whats|what's|wats|define|definition|explain|describe|tell me about|meaning)\b|\bmean(?:ing|s)?\b"),
)  # fmt: skip
_COMPILED = tuple((kind, re.compile(pattern, re.I)) for kind, pattern in _KINDS)

_SIDE_NAME = (
    r"(?:generative ai|gen ?ai|generative|genrative ai|creative ai|machine learning|ml|ai|artificial intelligence|"
    r"predict(?:s|ive|ing|ion)?(?: ai| side)?|creat(?:e|es|ive|ing)(?: side)?)"
)
_WHICH_SIDE = (
    re.compile(
        rf"^(?:and |but |so |then |ok |wait,? )*(?:is|are|isn'?t|aren'?t|was|does|do|would|will|could|would you call|can you call|do you call|"
        rf"would you say|do you count)\s+(?P<thing>.+?)\s*,?\s+"
        rf"(?:(?:really|actually|just|considered|classed as|seen as|counted as|counts? as|use|using|based on|called|rather|more|"
        rf"already|even|still|also|made with|work with|run on|an? (?:example|form|kind|type|case|piece|part) of|part of|an?|the|on|"
        rf"in|is|are|doing|to be)\s+)*"
        rf"(?P<side>{_SIDE_NAME})"
        rf"(?:\s*,?\s+(?:or|nor|rather than|instead of)\s+(?:just |rather |is it |more )?(?:an? )?(?P<other>{_SIDE_NAME}|neither|both|none))?"
        rf"(?:\s*,?\s+(?:or (?:not|neither|both|what)|then|at all|too|as well|models?|things?|systems?|side|here|or something else|right))*"
        rf"\s*(?:,?\s*\b(?:since|because|as|when|if|given that)\b[^?]*)?[?.!]*$", re.I),
    re.compile(rf"^(?P<thing>.+?)\s*[:,;-]?\s*(?:is (?:it|that|this)\s+)?(?P<side>{_SIDE_NAME})\s+(?:or|vs\.?|/)\s+(?P<other>{_SIDE_NAME}|neither|both)(?:\s+or neither)?\s*[?.!]*$", re.I),
    re.compile(r"^(?P<thing>[^?.!]{3,60}?)\s*[:,;–-]+\s*(?:on )?(?:which|what) (?:side|camp|group|kind|type|sort|one of the two)(?: (?:of ai|is it|is that|is this|are they))*\s*[?.!]*$", re.I),
    re.compile(r"^(?:on |to )?(?:which|what) (?:side|camp|group|kind of ai|type of ai)\b.*?\b(?:is|are|does|do|would)\s+(?P<thing>.+?)(?:\s+(?:on|in|belong(?:s)?(?: to)?|fall(?:s)? (?:on|into|under)|part of))?\s*[?.!]*$", re.I),
)  # fmt: skip

_ABOUT_SIDES = re.compile(
    r"\b(?:which|what) (?:side|camp|kind|sort|type|form|of the two|one)s?\b.*\b(?:ai|it|that|this|side|on|of)\b.{0,30}$|"
    r"\b(?:ml|machine learning|predict(?:ion|ive|ing|s)?|generative(?: ai)?|genai|create|creat(?:es|ing|ive))\s+(?:or|vs\.?|/)\s+(?:is it )?(?:ml|machine learning|predict|generative|gen ?ai|creat|neither)|"
    r"\b(?:count|counts|classed|qualif\w+) as (?:generative|gen|ai|ml|machine|artificial|predict)|\bis (?:that|this|it) (?:generative|gen ?ai|ml|machine learning|predict\w*|ai)\b|\b(?:ai|ml|gen ?ai|generative ai|machine learning) or (?:not|no|what|nothing)\b|[.!,;:-]\s*(?:generative ai|gen ?ai|machine learning|ml|ai)\s*\?+$", re.I)  # fmt: skip
_NOT_A_THING = re.compile(
    r"\b(?:than|better|worse|same|differ|replace|without|need|needs|how|why|between|there|from|with|like|you)\b",
    re.I,
)
_STYLES = (
    ("short", re.compile(r"\b(?:(?:in )?(?:just |only )?(?:one|a single|1) (?:short )?(?:sentence|line)(?: only| please)?|in (?:just |only )?(?:one|a single|1|two|a) (?:short )?(?:sentences?|line|words?)|in a nutshell|in brief|briefly|tl;? ?dr|in short|quickly|as short as possible|short answer|keep it short)\b", re.I)),
    ("simple", re.compile(r"\b(?:(?:explain(?:ed)? )?(?:like|as if|as though) i(?:'?m| am| was| were) (?:a )?(?:five|5|six|6|seven|7|eight|8|ten|10|child|kid|beginner|dummy)(?: years old)?|eli ?5|(?:in|with|using) (?:very )?(?:simple|plain|easy|everyday) (?:words|terms|english|language)|for (?:a |my )?(?:\w+ )?(?:kids?|child(?:ren)?|beginners?|dummies|grandma|grandmother|mum|five year olds?|toddlers?)|to (?:a |my )(?:\w+ )?(?:kids?|child(?:ren)?|grandma|grandmother|mum|five year olds?|toddlers?))\b", re.I)),
)  # fmt: skip
_STYLE_CHAFF = re.compile(
    r"\b(?:explain|please|can you|could you|it|that|this|again|now|say|put|tell me|and|me|to|them|more)\b|\W",
    re.I,
)
_CREATE_GOAL = re.compile(
    r"\b(?:new|draw|paint|write|writes|writing|compose|composing|create|creating|generate|generating|invent|design|imagine|"
    r"produce|make up|make me|poster|rewrite|draft|drafting|summari[sz]e|poem|story|song|logo|picture[s]? of|image[s]? of|slogan|artwork)\b", re.I)  # fmt: skip
_PREDICT_GOAL = re.compile(
    r"\b(?:predict|forecast|detect|classify|recogni[sz]e|sort|estimate|group|recommend|flag|spot|filter|score|rank|find out|"
    r"tell whether|decide whether|know (?:if|whether)|which customers|how many|how much|catch|need to know|identify|diagnos|label|segment|cluster|guess|tag|find (?:faulty|broken|fake|fraud))", re.I)  # fmt: skip

_POINTS_BACK = re.compile(
    r"\b(?:it|its|itself|they|them|their|theirs|that|those|these|this|he|she|him|her|such|the (?:same|latter|former|other one|first one|second one))\b", re.I)  # fmt: skip
_ELLIPTIC = re.compile(
    r"^(?:and|but|so|or|then|ok|why|why not|how|how so|how come|really|since when|by whom|who|when|where|for example|what about|how about|what else|what for|are you sure|says who|which one|is that)\b", re.I)  # fmt: skip


@dataclass(frozen=True)
class Intent:
    """What a message wants.

    kind: greeting, thanks, goodbye, demo, which_side, which_one, comparison, definition, how, why,
        who, when, number, example, yes_no, claim, shorter, simpler, another_example, longer, about (the tutor itself), or other.
    style: "short" or "simple" when the message asks for that beside its question.
    """

    kind: str
    demo: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    thing: str = ""
    asked_side: str = ""
    either_or: bool = False
    goal: str = ""
    style: str = ""
    every: bool = False  # asks of all things of a kind: "does every robot use AI?"


@dataclass(frozen=True)
class DemoPhrases:
    """A demo as the tutor knows it: its slug, title, topic, and the phrases that ask for it.

    main_input: the name of the input that "try it on ..." fills.
    cues: words that ask for it when they stand beside a text in quotation marks.
    """

    slug: str
    title: str
    topic: str
    phrases: tuple[str, ...]
    main_input: str = "text"
    cues: tuple[str, ...] = ()


def read_intent(message: str, demos: Sequence[DemoPhrases] = ()) -> Intent:
    """The first rule that fits, demos before questions."""
    text = " ".join(message.split())
    if social := small_talk(text):
        return Intent(social)
    if not _ASKS_SIDE.search(text) and (found := _demo(text, demos) or _quoted(text, demos)):
        return found
    asked = core_question(text)
    kind = next(
        (kind for kind, pattern in _COMPILED if pattern.search(text) or pattern.search(asked)),
        "other",
    )
    if kind in ("shorter", "simpler", "another_example", "longer"):
        return Intent(kind)
    if kind != "comparison" and (found := _which_side(text)):
        return found
    if kind == "which_one":
        return Intent(kind, goal=_goal(text))
    if kind != "comparison" and _ABOUT_SIDES.search(text):
        return Intent("which_side", thing=text, either_or=True)
    return Intent("claim" if kind == "other" and len(text.split()) > 5 else kind)


def split_style(message: str) -> tuple[str, str]:
    """A message without the words that only say how to answer, and that wish: short, simple or none."""
    for style, pattern in _STYLES:
        rest = pattern.sub(" ", message).strip(" ,:;.-–")
        if rest != message.strip(" ,:;.-–") and re.search(r"\w{2}", _STYLE_CHAFF.sub("", rest)):
            return rest, style
    return message, ""


def core_question(message: str) -> str:
    """The last sentence that asks, of a message with several sentences."""
    sentences = [one for one in re.split(r"(?<=[.!?])\s+", message) if not _HELP.match(one)]
    asking = [one for one in sentences if one.endswith("?")] or [one for one in sentences if _WONDERS.match(one)]
    return asking[-1] if asking else message


_HELP = re.compile(r"(?:and |so )?(?:can|could|would|will) (?:you|anyone|anybody|someone|somebody) (?:please )?help(?: me| us)?(?: with (?:this|that|it))?\W*$", re.I)


def names_back(message: str) -> bool:
    """Does the message hold a word such as "it" or "they" that stands for something said before?"""
    return bool(_POINTS_BACK.search(message))


def points_back(message: str) -> bool:
    """Does the message lean on what was said before ("and who judges them?")?"""
    return bool(
        _POINTS_BACK.search(message) or _ELLIPTIC.search(message) or len(message.split()) <= 2
    )


def _which_side(text: str) -> Intent | None:
    for pattern in _WHICH_SIDE:
        if (match := pattern.match(text)) and not _NOT_A_THING.search(match["thing"]):
            groups = match.groupdict()
            thing = re.sub(
                r"^(?:an?|the|my|your|this|that|those|these|our|using|all|every|each|any)\s+",
                "",
                groups["thing"],
                flags=re.I,
            )
            side = _side_of(groups.get("side") or "")
            either = ("other" in groups and bool(groups["other"])) or not side
            thing, every = thing.strip(" ,?\"'“”"), bool(_EVERY.search(text))
            return Intent("which_side", thing=thing, asked_side=side, either_or=either, every=every)
    return None


_EVERY = re.compile(r"\b(?:every|each|all|always|any)\b(?! (?:ai|part|learning|kind|good)\b)", re.I)
_SIDES_SAID = re.compile(r"\b(?:generative|gen ?ai|genai|generated?|generating|creat\w*|machine learning|ml|predict\w*|ai)\b", re.I)


def sides_in(text: str) -> tuple[str, bool]:
    """The side that a message asks about, if it is one; and whether it asks which of several."""
    said = {_side_of(found[0].replace("genai", "gen")) for found in _SIDES_SAID.finditer(text)}
    said = said - {"ai"} or said  # "AI" beside another name is only a part of it
    return (said.pop(), False) if len(said) == 1 else ("", bool(said))


def _side_of(name: str) -> str:
    name = name.lower()
    if name.startswith(("gen", "creat")):
        return "create"
    if name.startswith(("machine", "ml")):
        return "learning"
    return "predict" if name.startswith("predict") else "ai" if name else ""


def _goal(text: str) -> str:
    text = _SIDES_SAID.sub(" ", text)  # "predictive ML or generative AI?" says nothing of the goal
    create, predict = bool(_CREATE_GOAL.search(text)), bool(_PREDICT_GOAL.search(text))
    return "create" if create and not predict else "predict" if predict and not create else ""


def _demo(text: str, demos: Sequence[DemoPhrases]) -> Intent | None:
    """A phrase such as "draw {prompt}" as a pattern; the longest that fits wins. "[name]" turns a toggle on."""
    best: tuple[int, Intent] | None = None
    for demo in demos:
        for phrase in demo.phrases:
            words, _, toggle = phrase.removesuffix("]").partition(" [")
            if words.startswith("* ") and ":" not in words and _only_asks(text):
                continue  # any words but those of a question: "how does it draw a cat?" is one
            match = _pattern(words).match(text)
            if match and (best is None or len(words) > best[0]):
                inputs = {name: _input(name, value) for name, value in match.groupdict().items()}
                if all(inputs.values()) and not _NO_INPUT.match(inputs.get("prompt", "")):
                    switched = {toggle: True} if toggle else {}
                    best = len(words), Intent("demo", demo=demo.slug, inputs=inputs | switched)
    return best[1] if best else None


def _only_asks(text: str) -> bool:
    """Is the message a question about a thing, and no wish to see it done?"""
    if _WANTS_DEMO.match(text):
        return False
    return bool(_WONDERS.match(text) or any(sides_in(text)) or (text.endswith("?") and "you" not in text))


_WONDERS = re.compile(
    r"^(?:(?:and|but|so|ok)\W+)*(?:how|why|what|whats|who|whose|when|which|where does|is|isn't|are|was|were|does|do|did|has|have|should|explain|tell|"
    r"difference|can (?:an?|the|ai|it|they|models?|machines?|computers?)|could (?:an?|the|ai|it|they)|will)\b", re.I)  # fmt: skip


_WANTS_DEMO = re.compile(r"^(?:where|how|is there|have you|do you have|can i|could i|may i)\b.{0,40}\bdemo\b", re.I)
_ASKS_SIDE = re.compile(r"\bpredict\w*\s*(?:/|or)\s*creat|\bcreat\w*\s*(?:/|or)\s*predict|\b(?:ml|machine learning|gen ?ai|generative)\s*(?:/|or|\?)", re.I)
_NO_INPUT = re.compile(r"(?:what|how|why|where|who|when|which) (?:happens?|is|are|it|they|a|the|to)\b|it\b|them\b|something that\b", re.I)


def _quoted(text: str, demos: Sequence[DemoPhrases]) -> Intent | None:
    """A text in quotation marks with words beside it that ask for a demo: a good review or a bad one?"""
    found = QUOTED.search(text)
    given = next((part for part in found.groups() if part), "") if found else ""
    if len(given.split()) < 3 or re.match(r"(?:why|how (?:do|does|did|can|is|are)|what (?:do|does|is|are)|explain|who|when)\b", text, re.I):
        return None
    beside = f"{text[: found.start()]} {text[found.end() :]}"
    asked = (demo for demo in demos if any(re.search(rf"\b(?:{cue})\b", beside, re.I) for cue in demo.cues))
    return next((Intent("demo", demo=one.slug, inputs={one.main_input: given.strip()}) for one in asked), None)


_POLITE = (
    r"^(?:(?:please|pls|plz|ok|okay|now|and|so|hey|hi|then|just|well|(?:can|could|would|will) (?:you|u|ya)|i want you to|"
    r"i'?d like you to|i want to|i'?d like to|let me|let'?s|kindly|try to|go ahead and)[\s,:!]+)*"
)
_ENDING = r"\s*(?:,?\s*(?:please|pls|for me|thanks|thank you|now))*\s*[?!.]*$"


def _pattern(phrase: str) -> re.Pattern[str]:
    """`is {text} positive` -> a pattern with the group `text`. A space fits any white space."""
    parts = re.split(r"\{(\w+)\}", phrase)
    body = "".join(
        f"(?P<{part}>.+?)" if index % 2 else _literal(part) for index, part in enumerate(parts)
    )
    ending = r"\s*$" if phrase.endswith("{text}") else _ENDING
    return re.compile(_POLITE + body + ending, re.I | re.S)


def _literal(part: str) -> str:
    """Words of a phrase: `*` is anything, `(a|b)` either, a colon any mark that sets off what follows."""
    escaped = re.sub(r"\\([()|])", r"\1", re.escape(part)).replace("(", "(?:")
    escaped = escaped.replace(r"\*", ".*?").replace(r"\?", "?").replace(r"\ ", r"\s+")
    return escaped.replace(":", r"\s*[:?,;–-]+").replace(r"(?\s*[:?,;–-]+", "(?:")


def _input(name: str, value: str) -> str:
    """What stands in quotation marks if anything does; else `text` word for word, others without article."""
    if quoted := QUOTED.search(value):
        return next(part for part in quoted.groups() if part).strip()
    value = value.strip(" :;-\"'“”‘’`")
    return (
        value
        if name == "text"
        else re.sub(r"^(?:(?:me|us|an?|the|some|of)\s+)+", "", value, flags=re.I)
    )


def try_it(message: str, name: str = "") -> str:
    """The input `name` of "try it on ..." or "now a turtle instead", said about the demo under discussion."""
    text = " ".join(message.split())
    found = _TRY.match(text) or _NOW.match(text)
    return _input(name, found["x"]) if found else ""


_TRY = re.compile(
    r"^(?:(?:please|can you|could you|now|ok|and|then|also)[ ,]+)*(?:try|show|do|test|run|use|draw)\s+(?:it|this|that|me|one|the demo)?\s*"
    r"(?:on|with|for)\s*:?\s+(?!numbers?\b|(?:an? )?(?:\w+ )?examples?\b|figures\b|(?:my|your|other) (?:own )?words\b)(?P<x>.+?)[?!. ]*$", re.I)  # fmt: skip
_NOW = re.compile(r"^(?:now|and now|then|and then|next|ok now)[ ,]+(?P<x>(?:an?|the|some)\s+.+?)(?:\s+(?:instead|please|then))*[?!. ]*$", re.I)
