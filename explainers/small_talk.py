"""Messages that only greet, thank or take leave, in whatever words: they get one kind sentence, no lesson.

A message is small talk if every word of it is: so "hi, what is a GAN?" is a question, and
"hey there, nice to meet you, I'm Anna" is a greeting.
"""

from __future__ import annotations

import re

_SAYS = (
    ("goodbye", r"good ?bye|bye|good ?night|farewell|cu|ciao|cheerio|(?<!to )(?<!can )see (?:you|ya|u)|take care|so long|until (?:next time|tomorrow|then)|"
                r"(?:talk|speak|catch) (?:to )?(?:you|ya|u) (?:later|soon|tomorrow)|have an? (?:\w+ )?(?:day|evening|night|weekend|one)|"
                r"(?:got ?ta|have to|must|need to) (?:go|run|leave)|(?:that's|that is|that was) (?:all|it) for (?:today|now)|i'm (?:off|done|leaving)|^later"),
    ("thanks", r"thanks|thank|thx|ty|tysm|cheers|ta|merci|appreciated?|obliged|helped|helpful|got it|(?:i|now i|that makes|makes) (?:see|get it|understand|sense)|"
               r"(?:great|good|nice|lovely|clear|excellent|brilliant) (?:answer|explanation|bot|job|work|one)|well (?:explained|done|said)|you're (?:\w+ )?(?:great|good|awesome|helpful|clever|smart|kind)|"
               r"no (?:more|further) questions|all i (?:needed|wanted)|cool|nice(?! to )|awesome|wow|perfect|brilliant|interesting|amazing|lovely|excellent|super|great|ok|okay|fine"),
    ("greeting", r"hi+|hello|hey+|heya|hiya|hallo|hola|howdy|yo|sup|greetings|good (?:morning|afternoon|evening|day)|morning|evening|welcome|"
                 r"(?:nice|pleased|glad|good) to (?:meet|see) you|how are (?:you|things)|how(?:'s| is) it going(?! to)|how do you do|what's up|how's your \w+|how is your \w+|"
                 r"(?:is )?any(?:one|body) (?:there|home|here)|are you there|got a (?:minute|moment|second)|i have a question|"
                 r"(?:can|may|could) i ask (?:you )?(?:something|a question)|(?:can|could) you help me|long time no see"),
)  # fmt: skip
_COMPILED = tuple((kind, re.compile(rf"\b(?:{says})\b")) for kind, says in _SAYS)

_INTRODUCES = re.compile(r"\b(?:[Mm]y name is|[Mm]y name's|[Tt]his is|[Ii]'m|[Ii] am|[Ii]t's|[Ff]rom)\s+(?!new\b)[A-Z]\w+(?: here)?")
_ASKS = re.compile(r"\b(?:are you|you are|you're) an? (?:\w+ )?(?:bot|robot|machine|man|friend)\b")  # about us, not a greeting
_FILLS = frozenset(
    "a again all and any anybody anyone are at back bit bot buddy but can chap could day dear do doing done down everyone everybody "
    "evening everything explaining explanation fine folks for friend friends from fun going good great guys haha have hello help "
    "helpful here hey hi home hope how how's i i'd i'll i'm in is it it's just kind kindly la learn like little lot lots lovely "
    "machine man mate me minute moment month morning much mr my name need nice night no now off oh ok okay old on one our pal "
    "please pleased pleasure question questions really robot second see sir so something soon sorry super sweet teacher that "
    "that's the then there things this thing time to today tomorrow too tonight tutor u up us very was way week weekend well were what's "
    "will wish with world would ya yeah yes yep you you're your yours clears clear cleared made makes make sense aha ah ahh "
    "lol far quick short small indeed wonderful fantastic best better true right sure answer answers helping "
    "work school bed lunch dinner class sleep dog bus train kids duty calls new first going gonna it'll we next wait hmm hm mm know think feel feeling anyway lesson explained".split()
)
_LONGEST = 14  # words


def small_talk(message: str) -> str:
    """greeting, thanks or goodbye, if the message is nothing else; else empty.

    >>> small_talk("hey there, nice to meet you"), small_talk("hi, what is a GAN?")
    ('greeting', '')
    """
    text = _INTRODUCES.sub(" ", message.replace("’", "'")).lower()
    text = " ".join(re.findall(r"[a-z']+", text))
    if not text or len(text.split()) > _LONGEST or _ASKS.search(text):
        return ""
    kind = next((kind for kind, says in _COMPILED if says.search(text)), "")
    for _, says in _COMPILED:
        text = says.sub(" ", text)
    return kind if set(text.split()) <= _FILLS else ""
