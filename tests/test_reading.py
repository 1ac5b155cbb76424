"""What the network that reads a question alone makes of it."""

from __future__ import annotations

import pytest

import assets
from explainers.library import open_readers
from explainers.reading import GROUPS
from training.reading import SEED, misspelt, read_sides, split_off

READ = open_readers(assets.path("minilm"))[3]


@pytest.mark.parametrize(
    ("question", "side"),
    [
        ("which AI do I need to guess which parcels will come late?", "predict"),
        ("I want a bedtime story about our hamster, what should I use?", "create"),
        ("turn miles into kilometres: ML, GenAI or neither?", "neither"),
        ("recognise the bird on my photo and write a poem about it", "both"),
    ],
)
def test_a_goal_stands_on_a_side(question: str, side: str):
    sides = READ(question).sides
    assert max(sides, key=sides.get) == side


def test_a_question_about_the_subject_stands_on_none():
    assert sum(READ("Why does a GAN need two networks?").sides.values()) < 0.5


def test_the_same_words_belong_to_the_subject_or_not():
    assert READ("How does a transformer weigh the words of a sentence?").ours > 0
    assert READ("How does a transformer in a substation lower the voltage?").ours < 0


def test_a_question_of_any_length_is_read():
    """What is over the longest is cut; probabilities stay probabilities."""
    read = READ("why " * 3000)
    assert set(read.sides) == set(GROUPS) and 0 <= sum(read.sides.values()) <= 1.0001


def test_what_is_measured_on_is_the_same_every_time(tmp_path):
    path = tmp_path / "some.tsv"
    path.write_text("".join(f"neither\tthing {i}\n" for i in range(50)), encoding="utf-8")
    held, rest = split_off(read_sides(path))
    assert held == split_off(read_sides(path))[0] and SEED == 0
    assert len(held) == 5 and not set(held) & set(rest)


def test_slips_of_the_keyboard_keep_most_letters():
    text = "which technology would you recommend for sorting letters"
    slipped = [misspelt(text) for _ in range(20)]
    assert len(set(slipped)) > 10 and all(abs(len(one) - len(text)) <= 8 and one.count(" ") == 7 for one in slipped)
