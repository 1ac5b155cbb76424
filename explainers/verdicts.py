"""What is said in front of an answer about sides: a yes or no, a side, or a guess at one."""

from __future__ import annotations

from explainers.intent import Intent

_SAYS_SIDE = {"predict": "It predicts.", "create": "It creates.", "both": "It does both.", "neither": "It does neither."}
_SAYS_YES = {
    "create": {"predict": "No.", "create": "Yes.", "both": "Partly.", "neither": "No."},
    "predict": {"predict": "Yes.", "create": "No.", "both": "Partly.", "neither": "No."},
    "learning": {"predict": "Yes.", "create": "Yes, in its methods.", "both": "Yes, in part.", "neither": "No."},
    "ai": {"predict": "Yes.", "create": "Yes.", "both": "Yes.", "neither": "No."},
}
GOAL = {
    "create": "Generative AI, because something new has to be made.",
    "predict": "Machine learning that predicts, because the answer is a label, a number, a group or a choice.",
    "both": "Both: machine learning that predicts for one part, and generative AI that creates for the other.",
    "neither": "Probably neither: a fixed rule or an ordinary program may be enough.",
}
GUESS = {
    "predict": "I have no entry on that, but things like it usually predict.",
    "create": "I have no entry on that, but things like it usually create.",
    "both": "I have no entry on that, but things like it usually do both.",
    "neither": "I have no entry on that, but things like it usually do neither.",
}


def verdict_for(intent: Intent, side: str) -> str:
    """Yes or no to "is it generative AI / machine learning / AI?", from the side alone.

    Empty for "is every ...?" unless the answer is no: what holds for a thing need not hold for all of its kind.
    """
    if intent.either_or or not intent.asked_side:
        return _SAYS_SIDE[side]
    said = _SAYS_YES[intent.asked_side][side]
    return "" if intent.every and said != "No." else said
