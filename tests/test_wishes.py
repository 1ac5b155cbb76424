"""Wishes for a demo that no phrase foresees: which demo, and with what."""

from __future__ import annotations

import json

import pytest

import demos
from explainers.wishes import LIKELY, SURE, best_stretch, grams, open_wishes
from training.wishes import DATA

WISHES = open_wishes()


@pytest.mark.parametrize(
    ("message", "demo", "given"),
    [
        ("please paint a tiny owl with a hat", "image_generation", "tiny owl"),
        ("carry on with this story: The lamp went out", "text_generation", "The lamp went out"),
        ('tell me whether this review is positive or negative: "cold soup, warm beer"', "sentiment", "cold soup, warm beer"),
    ],
)
def test_a_wish_and_its_input(message: str, demo: str, given: str):
    slug, found = WISHES.wish(message, LIKELY)
    assert slug == demo and given in found


@pytest.mark.parametrize(
    "question",
    ["What is a GAN?", "how does an AI draw a cat?", "why do chatbots continue a text so well?",
     "what is sentiment analysis used for?", "", "?!"],
)  # fmt: skip
def test_a_question_wishes_for_no_demo(question: str):
    assert WISHES.wish(question, SURE) == ("", "")


def test_the_highest_sum_of_neighbours():
    assert best_stretch([-1, 2, 3, -1, 2, -9, 4]) == (1, 5)
    assert best_stretch([-1, -2]) == (0, 0) == best_stretch([])


def test_grams_are_words_and_pairs():
    assert grams("Draw: a cat") == ["draw", ":", "a", "cat", "^ draw", "draw :", ": a", "a cat", "cat $"]


def test_the_examples_name_real_demos_and_their_own_words():
    rows = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
    assert len(rows) > 400
    for row in rows:
        assert row["demo"] in ("", *demos.load()) and row["input"] in row["ask"]
        assert row["demo"] or not row["input"]
