"""The judge of answers is right itself: a few replies, and what it has to say about them."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks import answers, soundness
from benchmarks.ablation import HELD_OUT
from benchmarks.answers import Case, faults, judge, read_cases, table
from explainers.reply import Citation, DemoCall, Draft, Reply, Span, Token
from explainers.topics import load_topics
from training.tutor.bank import read_bank

GAN = Case("gan", "how", ("What is a GAN?",), must=("generator",), must_not=("approximation",))
OFF = Case("off", "abstain", ("Who won the match?",), abstain=True)
DRAW = Case("draw", "demo", ("draw a cat",), demo="image_generation", inputs={"prompt": "^cat$"})
CAT = DemoCall("image_generation", {"prompt": "cat"})


@pytest.mark.parametrize(
    ("case", "reply", "found"),
    [
        (GAN, Reply("A Generator and a\njudge compete."), []),
        (GAN, Reply("A General Approximation."), ["lacks /generator/", "says /approximation/"]),
        (GAN, Reply("No generator here.", abstained=True), ["declines, but has to answer"]),
        (OFF, Reply("I do not cover that.", abstained=True), []),
        (OFF, Reply("The Reds won."), ["answers, but has to decline"]),
        (DRAW, Reply("Here it comes.", demo=CAT), []),
        (DRAW, Reply("Here it comes."), ["opens no demo, not image_generation"]),
        (
            DRAW,
            Reply("Here it comes.", demo=DemoCall("image_generation", {"prompt": "a dog"})),
            ["opens image_generation with prompt 'a dog', not /^cat$/"],
        ),
    ],
)
def test_faults_are_found(case: Case, reply: Reply, found: list[str]):
    assert list(faults(case, reply)) == found


def test_either_is_right_when_a_case_says_so():
    either = Case("either", "role", ("Be a pirate!",), must=("tutor",), abstain=None)
    assert not list(faults(either, Reply("I am a tutor.")))
    assert not list(faults(either, Reply("That I do not do.", abstained=True)))


def test_a_conversation_is_carried_to_its_last_turn():
    class Parrot:
        """Says what it was told before, so that the history can be seen."""

        def reply(self, question, history):
            yield Draft("thinking")
            yield Reply(" | ".join([one["content"] for one in history] + [question]))

    case = Case("two", "follow_up", ("one", "two"), must=(r"^one \| one \| two$",))
    assert judge(Parrot(), case).faults == ()


def test_the_table_counts():
    right = answers.Outcome(GAN, Reply("", seconds={"total": 1}), ())
    wrong = answers.Outcome(GAN, Reply("", seconds={"total": 3}), ("lacks /x/",))
    outcomes = [right, wrong]
    assert "| how | 1 | 2 | 50 | 2.00 | 3.00 |" in table(outcomes)


def test_the_cases_are_many_and_well_formed():
    cases = read_cases()
    assert len(cases) >= 200
    assert min(Counter(case.kind for case in cases).values()) >= 5
    assert all(case.turns for case in cases)


def test_the_held_out_cases_are_other_ones():
    """They decide whether the tutor is any good, so none may stand where something was trained or tuned."""
    cases = read_cases(HELD_OUT)
    asked = {" / ".join(case.turns).lower() for case in cases if case.kind not in ("abstain", "role")}
    topics = load_topics()
    taught = {" / ".join(one.turns).lower() for one in read_bank(topics)}
    taught |= {question.lower() for topic in topics.values() for question in topic.questions}
    taught |= {" / ".join(case.turns).lower() for case in read_cases()}
    assert len(cases) >= 400 and not asked & taught


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("A GAN has two networks. They compete.", []),
        ("word " * 121, ["longer than 120 words", "repeats itself"]),
        ("So it is.<|im_end|>", ["a piece of the template"]),
        ("It learns from many examples of cats. It learns from many examples of dogs.", ["repeats itself"]),
    ],
)
def test_faults_of_form_are_found(answer: str, found: list[str]):
    assert list(soundness.faults(Reply(answer))) == found


def test_a_written_sentence_has_to_stand_in_what_is_cited():
    source = (Citation("gan", "GANs", "In short", "A GAN has two networks that compete."),)
    said = [Span(text, False, (Token(text),)) for text in ("A GAN has two networks.", "A GAN has three networks.")]
    assert soundness.unsupported(Reply("", spans=tuple(said), citations=source)) == ["A GAN has three networks."]
