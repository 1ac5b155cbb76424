"""A question and its history become a stream of drafts and one Reply.

The order of work: understand the message (intent), find what the library says (plan), or abstain;
say the sentence that answers it, word for word; let the language model go on in its own words; check
each of its sentences against the passages; where one fails, the passage speaks instead.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from explainers.coverage import ASKS_SIDE, FAVOURED, Coverage, features, open_coverage
from explainers.facts import version_words
from explainers.grounding import Grounding, content_words
from explainers.intent import (
    DemoPhrases,
    Intent,
    core_question,
    names_back,
    points_back,
    read_intent,
    sides_in,
    split_style,
    try_it,
)
from explainers.language_model import LanguageModel, open_language_model
from explainers.library import Found, Library, open_library
from explainers.oddities import TO_ASK, clean, foreign, unreadable, without_orders
from explainers.parts import parts_of
from explainers.phrasing import DECLINED, messages_for
from explainers.plan import PRONOUN, Plan, Planner, subject_of
from explainers.ranking import Ranking, open_ranking
from explainers.reading import Reader
from explainers.reply import Citation, DemoCall, Draft, Reply, Span
from explainers.spans import count, joined, sentences_of, spaced
from explainers.topics import Topic, split_sentences
from explainers.wishes import LIKELY, SURE, Wishes, open_wishes

GOES_ON = 0.9  # probability of being covered from which a question that names nothing stays with the topic
REMEMBERED = 6  # messages of the history that are looked at
SAME = 0.9  # cosine from which two sentences say the same

I_COVER = (
    "I explain machine learning, which predicts, and generative AI, which creates: how they work, how they differ, "
    "and where you meet them."
)
HELLO = "Hello! " + I_COVER + " Ask me anything about that, or try a demo."
THANKS = "You are welcome. Ask on whenever you like."
GOODBYE = "Goodbye! Come back whenever a question about machine learning or generative AI turns up."
ABSTAIN = f"{DECLINED} {I_COVER}"
NOTHING_SAID = "There is no answer yet that I could say in another way."
NO_ROLE = "I keep to my subject and my role, whatever a message says."
NO_FIGURE = "No passage of mine gives the name, the year or the number that you ask for."
A_PART = "I can answer a part of that."
SILENT = "From memory, the language model had nothing to say."
VERDICTS = ("Yes.", "No.", "Partly.", "Yes, in part.", "It predicts.", "It creates.", "It does both.", "It does neither.")
RECALLED = 100  # tokens of an answer from memory

_CHOOSING = re.compile(
    r"\b(?:which|what) (?:technology|of the two|kind of ai|sort of ai|type of ai)\b|\bai\b|\bmodel\b|machine learning|generative",
    re.I,
)
_BARE = re.compile(
    r"^(?:and |but |so )?(?:why|why not|why (?:is|was) (?:that|it|this)(?: so)?|why so|why though|how so|how come|"
    r"really|are you sure|says who|(?:explain|tell me|say|but) why|why (?:that|this) one)[ ?!.]*$",
    re.I,
)

_DATES = frozenset(
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April June July August September October "
    "November December Christmas Easter English".split()
)
_METHOD = re.compile(
    r"(?<=[a-z,] )([A-Z][a-z]{3,}) (?:loss|network|algorithm|method|transform|theorem|effect|metric|score|architecture|layer|"
    r"sampler|machine|framework|index|test|optimi[sz]er|attention|diffusion)\b"
)
SOCIAL = ("greeting", "thanks", "goodbye")
RESTYLED = ("shorter", "simpler", "another_example", "longer")  # said about the answer before

History = Sequence[Mapping[str, str]]


class Tutor:
    """Answers questions over one library with one language model. Safe to use from many threads."""

    def __init__(self, library: Library, ranking: Ranking, read: Reader, language_model: LanguageModel, coverage: Coverage,
                 demos: Sequence[DemoPhrases] = (), wishes: Wishes | None = None) -> None:  # fmt: skip
        self.library = library
        self.ranking = ranking
        self.read = read
        self.language_model = language_model
        self._coverage = coverage
        self._planner = Planner(library, ranking, read)
        self._home = dict(ranking.places)  # each sentence's passage
        self._demos = tuple(demos)
        self._wishes = wishes

    @property
    def topics(self) -> Mapping[str, Topic]:
        return self.library.topics

    def reply(self, question: str, history: History = (), *, from_memory: bool = False) -> Iterator[Draft | Reply]:
        """Drafts while the answer grows, then one Reply. Closing the iterator stops the model.

        from_memory: let the language model answer by itself, and mark what no passage says.
        """
        started = time.perf_counter()
        first: float | None = None
        for event in self._recall(question) if from_memory else self._answer(question, history):
            first = first or time.perf_counter() - started
            if isinstance(event, Reply):
                total = time.perf_counter() - started
                event = replace(
                    event, seconds={"first_token": round(first, 4), "total": round(total, 4)}
                )
            yield event

    def _answer(self, question: str, history: History) -> Iterator[Draft | Reply]:
        if problem := unreadable(question):
            yield Reply(problem, abstained=True, follow_ups=self._starters())
            return
        question = clean(question)
        if language := foreign(question):
            yield self._in_english(question, language)
            return
        if not (question := without_orders(question)):
            yield self._abstain("", NO_ROLE)
            return
        history = [one for one in history if isinstance(one.get("content"), str)]
        intent = self._tried(question, history) or read_intent(question, self._demos)
        if intent.kind not in SOCIAL + RESTYLED:
            intent = (self._wished(question, SURE) if intent.kind != "demo" else None) or intent
        if intent.kind not in ("demo", *SOCIAL):
            question, style = split_style(self.library.respell(question))
            intent = replace(
                self._and_this(question, history) or read_intent(question, self._demos), style=style
            )
        if said := {"greeting": HELLO, "thanks": THANKS, "goodbye": GOODBYE}.get(intent.kind):
            yield Reply(said, follow_ups=self._starters())
        elif intent.kind == "demo":
            yield from self._open_demo(intent)
        elif isinstance(plan := self._plan(question, intent, history), Plan):
            yield from self._compose(question, plan)
        elif part := self._part(question, history):
            yield from self._compose(question, part)
        elif wished := self._wished(question, LIKELY):
            yield from self._open_demo(wished)
        else:
            yield self._abstain(question, plan)

    def _recall(self, question: str) -> Iterator[Draft | Reply]:
        """What the language model says without any passage, each sentence held against all of them."""
        if problem := unreadable(question):
            yield Reply(problem, abstained=True, follow_ups=self._starters())
            return
        question = clean(question)
        near = self.ranking.rank(question, read_intent(question).kind)
        grounding = Grounding([found.text for found in near])
        spans: list[Span] = []
        for sentence in sentences_of(self.language_model.stream(messages_for(question, ()), max_tokens=RECALLED)):
            if isinstance(sentence, Span):
                spans.append(replace(sentence, supported=grounding.check(sentence.text).supported))
            yield Draft(joined(spans) if isinstance(sentence, Span) else f"{joined(spans)} {sentence.strip()}".strip())
        topic = self.topics[near[0].passage.topic]
        yield Reply(joined(spans) or SILENT, spans=spaced(spans), from_memory=True,
                    follow_ups=self._follow_ups(topic, question))  # fmt: skip

    def _in_english(self, question: str, language: str) -> Reply:
        """For a question in another language: in English what the topic that it names is, if it names one."""
        said = f"I answer in English only; your message looks {language}."
        topic = self.library.mentioned(question)
        if not topic:
            return Reply(f"{said} Please ask {TO_ASK} in English.", abstained=True, reason="It is not in English.",
                         follow_ups=self._starters())  # fmt: skip
        plan = replace(self._planner.rest(topic, "definition"), verdict=said)
        spans = [Span(said, quoted=False), *(Span(found.text, quoted=True) for found in plan.opening)]
        return self._reply(question, plan, spans)

    def _and_this(self, question: str, history: History) -> Intent | None:
        """ "And a calculator?" after "Is X generative AI?" asks the same of another thing."""
        thing = re.match(
            r"^(?:and|what about|how about|or)\s+(?:an?|the|my)?\s*(?P<thing>[^?]{2,40}?)\s*\?*$",
            question,
            re.I,
        )
        before = read_intent(_last(history, "user"), self._demos)
        if thing and before.kind == "which_side" and self._planner.knows_thing(thing["thing"]):
            return replace(before, thing=thing["thing"])
        return None

    def _tried(self, question: str, history: History) -> Intent | None:
        """ "Try it on ..." opens the demo of the topic under discussion."""
        if not try_it(question) or not (about := self._topic_of_history(history)):
            return None
        fitting = (one for one in self._demos if one.topic == about or one.slug in self.topics[about].demos)
        demo = next(fitting, None)
        if demo and demo.main_input == "text" and re.match(r"show me (?:with|for) [\w ]+\W*$", question, re.I):
            return None  # "show me with dogs" wants an example; dogs are no text to judge
        given = {demo.main_input: try_it(question, demo.main_input)} if demo else {}
        return Intent("demo", demo=demo.slug, inputs=given) if demo else None

    def _wished(self, question: str, least: float) -> Intent | None:
        """The demo that the message wishes for with probability `least`, in words that no phrase foresees."""
        slug, given = self._wishes.wish(question, least) if self._wishes else ("", "")
        demo = next((one for one in self._demos if one.slug == slug), None)
        return Intent("demo", demo=slug, inputs={demo.main_input: given} if given else {}) if demo else None

    # ------------------------------------------------------------------------- what to say

    def _plan(self, question: str, intent: Intent, history: History) -> Plan | str:
        """The sentences that answer, or why the library does not cover the question."""
        intent = self._planner.with_goal(question, intent)
        about = self._under_discussion(question, intent, history)
        if intent.kind == "another_example" and (plan := self._next_example(history)):
            return plan
        if intent.kind in RESTYLED:
            return self._restyled(about, intent.kind, history) if about else NOTHING_SAID
        leaning = about and (names_back(question) or len(question.split()) < 4)
        if not leaning and (reason := self._uncovered(question, intent)):
            about = self._goes_on(question, history)
            if not about:
                return reason
        about = about or self._stays(question, history)
        bare = bool(_BARE.match(question))
        if about and bare and (said := self._home.get(self._said_first(history))) and said.names:
            return self._planner.item(said)
        if about and bare:
            question = f"{question} {_last(history, 'user')}"
        elif about and names_back(question) and not PRONOUN.fullmatch(subject_of(question)):
            question = _with_subject(question, _last(history, "user"))
        plan = self._planner.plan(question, intent, about=about)
        if plan is None:
            return NO_FIGURE
        told = _last(history, "assistant") if about and bare else ""
        opening = _untold(plan.opening, told) or plan.opening
        return replace(plan, opening=opening, more=_untold(plan.more, told))

    def _restyled(self, about: str, kind: str, history: History) -> Plan:
        """The answer before, said in another way; of a part of a topic, what else was found on that part."""
        said, before = self._said_first(history), _last(history, "user")
        narrow = said and self._home[said].section != "In short" and not self._home[said].names
        if kind == "simpler" and narrow and read_intent(before, self._demos).kind not in RESTYLED:
            plan = self._planner.plan(before, read_intent(before, self._demos), about=about)
            fresh = _untold((*plan.opening, *plan.more), _last(history, "assistant")) if plan else ()
            if fresh:
                return replace(plan, opening=(Found(said, self._home[said], 1.0), *fresh[:2]), more=(), verdict="", open=False)
        return self._planner.rest(about, kind, said)

    def _part(self, question: str, history: History) -> Plan | None:
        """The plan for the one part that is covered, of a question with two: "what is a GAN, and who won the cup?"."""
        for part in (one for one in parts_of(question) if not names_back(one)):  # "it" means the part that is not covered
            plan = self._plan(part, read_intent(part, self._demos), history)
            if isinstance(plan, Plan):
                return replace(plan, verdict=f"{A_PART} {plan.verdict}".strip(), asked=plan.asked or part)
        return None

    def _next_example(self, history: History) -> Plan | None:
        """ "One more" after a question for examples: the next best sentences that answer that question."""
        before = _last(history, "user")
        if not before or read_intent(before, self._demos).kind not in ("example", "yes_no", "other"):
            return None
        plan = self._planner.plan(before, read_intent(before, self._demos))
        fresh = _untold((*plan.opening, *plan.more), _last(history, "assistant")) if plan else ()
        return replace(plan, opening=fresh[:1], more=fresh[1:], verdict="", asked=before) if fresh else None

    def _covers(self, question: str, intent: Intent) -> bool:
        return not self._uncovered(question, intent)

    def _uncovered(self, question: str, intent: Intent) -> str:
        """Why not to answer; empty if there is no reason. Naming a topic, or an everyday thing's side, counts in favour."""
        subject = intent.thing or subject_of(question)
        if (
            intent.kind == "about"
            or self._planner.named_topic(subject)
            or self._planner.named_topic(core_question(question))
        ):
            return ""
        if unknown := self._unknown_name(question, intent):
            return f"No passage of mine speaks of “{unknown}”."
        if intent.kind == "which_side" and self._planner.knows_thing(intent.thing):
            return ""
        if intent.goal and _CHOOSING.search(question):
            return ""
        speaks = bool(self.library.mentioned(question)) or intent.kind == "which_side" or bool(intent.goal)
        favour = ASKS_SIDE if sides_in(question)[1] else FAVOURED if speaks else 1.0
        return self._coverage.uncovered(self.library, self.ranking, self.read, question, subject, favour=favour)

    def _unknown_name(self, question: str, intent: Intent) -> str:
        """A name or version in a question for facts that no topic has heard of."""
        names = [name for name in re.findall(r"(?<=[a-z,] )[A-Z][a-z]{3,}(?![A-Za-z])", question) if name not in _DATES]
        methods = _METHOD.findall(question)
        facts = intent.kind in ("who", "when", "number", "definition", "other") and not any(sides_in(question))
        unknown = [version for version in version_words(question) if not self.library.says(version)]
        unknown += [name for name in names if facts and not self.library.knows(name)]
        unknown += [name for name in methods if not self.library.knows(name)]
        return unknown[0] if unknown else ""

    def _under_discussion(self, question: str, intent: Intent, history: History) -> str | None:
        """The topic that a message such as "and who judges them?" is about."""
        restyle = intent.kind in RESTYLED
        if not history or not (restyle or points_back(question)):
            return None
        thing = intent.thing or core_question(question)
        names_its_own = not PRONOUN.fullmatch(intent.thing) and (
            self._planner.named_topic(thing)
            or self.library.mentioned(thing)
            or self._planner.knows_thing(intent.thing)
        )
        if names_its_own and not restyle:
            return None
        return self._topic_of_history(history)

    def _stays(self, question: str, history: History) -> str | None:
        """The topic under discussion, if the question is nearer to it than to anything when asked alone."""
        about = self._topic_of_history(history) if history and not self.library.mentioned(question) else None
        if not about or self.ranking.fit(question, about)[0] <= self.ranking.fit(question)[0]:
            return None
        return about

    def _goes_on(self, question: str, history: History) -> str | None:
        """The topic under discussion, for a question that is covered only as one about that: "who owns the result?"."""
        about = self._topic_of_history(history) if history else None
        if not about or content_words(question) - self.library.vocabulary:
            return None
        asked = f"{self.topics[about].title}: {question}"
        likely = self._coverage.probability(features(self.library, self.ranking, self.read, asked, subject_of(question)))
        return about if likely >= GOES_ON else None

    def _said_first(self, history: History) -> str:
        """The first sentence of ours in the last answer; empty if there is none."""
        sentences = split_sentences(_last(history, "assistant"))
        return next((one for one in sentences if one in self._home), "")

    def _topic_of_history(self, history: History) -> str | None:
        """The topic that was last spoken of: named by the visitor, or quoted in an answer, or searched for."""
        for said in reversed(history[-REMEMBERED:]):
            text = said["content"]
            earlier = read_intent(text, self._demos)
            if said["role"] == "assistant" or earlier.kind in RESTYLED:
                continue
            if earlier.kind == "about":
                return "about-this-tutor"
            if earlier.kind == "demo" and earlier.demo:
                return next(demo.topic for demo in self._demos if demo.slug == earlier.demo)
            if earlier.kind != "comparison" and (quoted := self._topic_quoted(history)):
                return quoted
            if named := self._planner.named_topic(text) or self.library.mentioned(text):
                return named
            if not points_back(text) and self._covers(text, earlier):
                return self.ranking.rank(text, earlier.kind, keep=1)[0].passage.topic
        return self._topic_quoted(history)

    def _topic_quoted(self, history: History) -> str | None:
        """The topic of the first sentence of ours in the last answer."""
        said = self._home.get(self._said_first(history))
        return said and said.topic

    # --------------------------------------------------------------------------- saying it

    def _compose(self, question: str, plan: Plan) -> Iterator[Draft | Reply]:
        """Let the model write where nothing is certain, else quote the opening; fill up with quotes; a draft after each step."""
        spans = [Span(plan.verdict, quoted=False)] if plan.verdict else []
        if not plan.open:
            spans += [Span(found.text, quoted=True) for found in plan.opening]
        yield Draft(joined(spans), plan.side)
        if plan.open:
            yield from self._write(question, plan, spans)
        self._fill_up(plan, spans)
        yield self._reply(question, plan, spans)

    def _write(self, question: str, plan: Plan, spans: list[Span]) -> Iterator[Draft]:
        """Let the model add sentences to `spans`, each checked; stop as soon as one cannot stand."""
        sentences = [found.text for found in plan.evidence]
        grounding = Grounding(sentences)
        tokens = self.language_model.stream(messages_for(plan.asked or question, sentences), max_tokens=90)
        for sentence in sentences_of(tokens):
            if isinstance(sentence, str):
                if not grounding.may_become(sentence):
                    break
                yield Draft(f"{joined(spans)} {sentence.strip()}".strip(), plan.side)
                continue
            if sentence.text in VERDICTS:
                continue  # a yes or no of the model's own is right too seldom
            if not grounding.check(sentence.text).supported or self._said(sentence.text, spans):
                break
            spans.append(sentence)
            yield Draft(joined(spans), plan.side)
            if count(spans) >= plan.length:
                break
        tokens.close()

    def _fill_up(self, plan: Plan, spans: list[Span]) -> None:
        """Add quotes until the answer has its length."""
        for found in (*plan.opening, *plan.more):
            if count(spans) >= plan.length:
                return
            if not self._said(found.text, spans):
                spans.append(Span(found.text, quoted=True))

    def _said(self, sentence: str, spans: Sequence[Span]) -> bool:
        said = [span.text for span in spans]
        return (
            bool(said)
            and float((self.library.embed(said) @ self.library.embed([sentence])[0]).max()) >= SAME
        )

    def _reply(self, question: str, plan: Plan, spans: Sequence[Span]) -> Reply:
        topic = self.topics[plan.topic]
        demo = (
            DemoCall(topic.demos[0])
            if topic.demos and topic.demos[0] in {d.slug for d in self._demos}
            else None
        )
        side = plan.side if plan.side in ("predict", "create", "both") else None
        return Reply(joined(spans), side, citations=self._citations(plan, spans), demo=demo, topic=plan.topic,
                     follow_ups=self._follow_ups(topic, question), spans=spaced(spans))  # fmt: skip

    def _citations(self, plan: Plan, spans: Sequence[Span]) -> tuple[Citation, ...]:
        """Each passage that the answer rests on, once, in the order of its first sentence."""
        home = {found.text: found.passage for found in (*plan.opening, *plan.more)}
        grounding = Grounding([found.text for found in plan.evidence])
        found: dict[tuple[str, str], Citation] = {}
        for span in spans:
            text = span.text if span.quoted else grounding.check(span.text.strip()).source
            if span.text != plan.verdict:
                passage = home[text]
                found.setdefault((passage.topic, passage.section),
                                 Citation(passage.topic, passage.title, passage.section, passage.text))  # fmt: skip
        return tuple(found.values())

    def _open_demo(self, intent: Intent) -> Iterator[Draft | Reply]:
        """Open the demo that was asked for, with what its topic says in short."""
        demo = next(one for one in self._demos if one.slug == intent.demo)
        topic = self.topics[demo.topic]
        short = next(p for p in topic.passages if p.section == "In short")
        spans = [Span(f"Here is the demo “{demo.title}”, ready to run.", quoted=False)]
        spans += [Span(text, quoted=True) for text in short.sentences[:2]]
        yield Reply(joined(spans), topic.side, demo=DemoCall(demo.slug, dict(intent.inputs)), topic=topic.slug,
                    citations=(Citation(topic.slug, topic.title, short.section, short.text),),
                    follow_ups=self._follow_ups(topic, ""), spans=spaced(spans))  # fmt: skip

    def _abstain(self, question: str, reason: str) -> Reply:
        """An honest no with its reason, and the nearest topics as questions to ask instead."""
        near = [self.topics[slug] for slug, _ in self.library.search(question).topics[:3]]
        return Reply(ABSTAIN, abstained=True, reason=reason, follow_ups=tuple(_plain_questions(one)[0] for one in near))

    def _follow_ups(self, topic: Topic, question: str) -> tuple[str, ...]:
        """Two more questions about the topic and one about a related topic."""
        here = [one for one in _plain_questions(topic) if not _alike(one, question)]
        there = [q for slug in topic.related[:1] for q in _plain_questions(self.topics[slug])]
        return (*here[:2], *there[:1])

    def _starters(self) -> tuple[str, ...]:
        return tuple(
            _plain_questions(self.topics[slug])[0]
            for slug in ("ml-versus-generative-ai", "gan", "diffusion")
        )


def open_tutor(
    demos: Sequence[DemoPhrases] = (),
    language_model: Callable[[], LanguageModel] = open_language_model,
) -> Tutor:
    """Load everything: fetches what is missing, then takes seconds. Raises AssetError without network."""
    library, encode, judge, read = open_library()
    ranking = open_ranking(library, encode, judge)
    tutor = Tutor(library, ranking, read, language_model(), open_coverage(), demos, open_wishes())
    for _ in tutor.reply("What is the difference between machine learning and generative AI?"):
        pass  # the first answer pays for warming up, so nobody else does
    return tutor


# ------------------------------------------------------------------------------------ text


def _plain_questions(topic: Topic) -> list[str]:
    """The topic's questions that are fit to be shown: well-formed ones."""
    return [
        one
        for one in topic.questions
        if one[0].isupper() and one.endswith("?") and "five" not in one
    ] or [topic.questions[0]]


def _alike(one: str, other: str) -> bool:
    a, b = (set(re.findall(r"\w+", text.lower())) for text in (one, other))
    return len(a & b) > 0.7 * min(len(a), len(b) or 1)


def _last(history: History, role: str) -> str:
    return next((one["content"] for one in reversed(history) if one["role"] == role), "")


def _with_subject(question: str, before: str) -> str:
    """A question about "it", with what the question before was about, if that is short: a name, not a story."""
    subject = subject_of(before)
    return f"{question} ({subject})" if 0 < len(subject.split()) <= 4 else question


def _untold(found: Sequence[Found], told: str) -> tuple[Found, ...]:
    """Without what the last answer said already."""
    return tuple(one for one in found if one.text not in told)
