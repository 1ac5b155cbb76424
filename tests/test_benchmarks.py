"""The judge of answers is right itself: a few replies, and what it has to say about them."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks import answers
from benchmarks.answers import Case, faults, judge, read_cases, table
from explainers.reply import DemoCall, Draft, Reply

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
