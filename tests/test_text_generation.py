"""Continuing a text: the counting model on its own, then the demo with a fake language model."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest

from demos import ngram
from demos.base import DemoError, final_views
from demos.text_generation import DEMO

PLAY = """# A Play

## ACT I

_Enter a king and_
_his fool_

**KING**  
Good night, good night!  
Give me _[Aside]_ the crown.

*Exit the
king.*

**First Fool**  
'Tis done\\--the cat sat.
"""
SMALL = ngram.train("the cat sat. the cat ran. the dog sat. a cat sat.")


@dataclass
class Token:
    text: str
    probability: float | None = 0.5
    alternatives: tuple[tuple[str, float], ...] = ((" other", 0.25),)


class FakeLanguageModel:
    """Says " word" again and again, and remembers what it was asked."""

    def continue_text(self, text, *, max_tokens, **settings):
        self.asked = {"text": text, **settings}
        yield from (Token(" word") for _ in range(max_tokens))


def text_of(pieces) -> str:
    return "".join(piece.text for piece in pieces)


def test_only_what_is_spoken_is_kept_of_a_play():
    spoken = ngram.plain_text(PLAY)
    assert ngram.words(spoken) == (
        "Good night , good night ! \n Give me the crown . \n 'Tis done -- the cat sat ."
    ).split(" ")


@pytest.mark.parametrize(
    "text", ["Good night, my lord!", "O, I die, Horatio;\nThe rest--is silence.", "Who's there?"]
)
def test_words_written_again_are_the_text(text):
    words = ngram.words(text)
    assert "".join(map(ngram.written, words, ["", *words])) == text


def test_probabilities_sum_to_one_whatever_came_before():
    for context in ([], [-1], [0], [-1, 1], [0, 1], [2, 2]):
        likely = SMALL.probabilities(context)
        assert likely.min() >= 0
        assert likely.sum() == pytest.approx(1)


def test_a_trigram_is_counted_and_discounted():
    # After "the cat" came "sat" and "ran", once each: (1 - 0.75) / 2 for "sat", and what that
    # leaves is spread as after "cat" alone (sat twice, ran once), and so on to the common words.
    numbers, common = SMALL.numbers, SMALL.common
    after_cat = (2 - 0.75) / 3 + 0.75 * 2 / 3 * common[numbers["sat"]]
    expected = (1 - 0.75) / 2 + 0.75 * 2 / 2 * after_cat
    likely = SMALL.probabilities([numbers["the"], numbers["cat"]])
    assert likely[numbers["sat"]] == pytest.approx(expected)


def test_an_unknown_pair_backs_off_to_the_last_word_and_then_to_common_words():
    cat = SMALL.numbers["cat"]
    assert np.array_equal(SMALL.probabilities([-1, cat]), SMALL.probabilities([cat]))
    assert np.array_equal(SMALL.probabilities([cat, -1]), SMALL.common)


def test_a_word_counts_in_lower_case_when_its_own_form_is_unknown():
    assert SMALL.number("Cat") == SMALL.number("cat")
    assert SMALL.number("zebra") == -1


LIKELY = np.array([0.1, 0.6, 0.3])


def test_temperature_zero_takes_the_likeliest():
    assert ngram.sample(LIKELY, 0, 1.0, np.random.default_rng(0)) == 1


def test_top_p_keeps_the_likeliest_that_reach_it():
    generator = np.random.default_rng(0)
    drawn = {ngram.sample(LIKELY, 1.0, 0.8, generator) for _ in range(200)}
    assert drawn == {1, 2}


def test_temperature_one_draws_as_often_as_is_likely():
    generator = np.random.default_rng(0)
    drawn = np.bincount([ngram.sample(LIKELY, 1.0, 1.0, generator) for _ in range(3000)])
    assert drawn / 3000 == pytest.approx(LIKELY, abs=0.03)


def test_the_same_seed_writes_the_same_text():
    settings = {"max_tokens": 20, "temperature": 1.5, "top_p": 1.0}
    once, again, other = (
        text_of(SMALL.continue_text("the", seed=seed, **settings)) for seed in (1, 1, 2)
    )
    assert once == again != other


def test_shakespeare_knows_what_the_king_of_is_followed_by():
    pieces = ngram.shakespeare().continue_text(
        "the king of", max_tokens=2, temperature=0, top_p=1, seed=0
    )
    first, second = pieces
    assert first.text in (" England", " France")
    assert first.probability >= max(chance for _, chance in first.alternatives)
    assert first.text not in dict(first.alternatives)
    assert len(first.alternatives) == len(second.alternatives) == 10
    assert not any(mark in text for text in ngram.shakespeare().vocabulary for mark in "*_#\\[]")


def play(**given):
    model = FakeLanguageModel()
    return final_views(DEMO.play(given, language_model=model)), model


def test_both_models_continue_the_text_and_a_note_tells_them_apart():
    (neural, counted, note), model = play(text="Once upon a time", length=7, seed=3)
    assert model.asked == {
        "text": "Once upon a time",
        "temperature": 0.7,
        "top_p": 0.9,
        "seed": 3,
        "alternatives": 10,
    }
    for view in (neural, counted):
        assert (view["start"], view["grow"]) == ("Once upon a time", "text")
        assert len(view["pieces"]) == 7
    assert neural["key"] != counted["key"] and neural["title"] != counted["title"]
    assert "two words only" in note["text"]


def test_the_text_grows_before_it_is_finished():
    views = DEMO.play({"text": "Once", "length": 10}, language_model=FakeLanguageModel())
    lengths = [len(next(views).pieces) for _ in range(6)]
    assert lengths == [0, 1, 4, 7, 10, 10]


def test_temperature_zero_says_that_the_seed_plays_no_part():
    assert "seed plays no part" in play(text="My lord", temperature=0, length=5)[0][-1]["text"]


def test_an_engine_without_probabilities_is_shown_as_it_is():
    class Silent:
        """Writes one token and keeps its probability to itself."""

        def continue_text(self, text, **settings):
            yield Token(" x", None, ())

    views = final_views(DEMO.play({"text": "a", "length": 5}, language_model=Silent()))
    assert views[0]["pieces"] == [{"text": " x", "probability": None, "alternatives": []}]
    assert json.dumps(views)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"text": ""}, "empty"),
        ({"text": "a" * 2001}, "at most 2,000"),
        ({"temperature": 2.1}, "from 0 to 2"),
        ({"top_p": 0}, "from 0.05 to 1"),
        ({"length": 121}, "from 5 to 120"),
        ({"seed": -1}, "from 0 to 9999"),
    ],
)
def test_wrong_settings_are_refused_in_plain_words(given, says):
    with pytest.raises(DemoError, match=says):
        list(DEMO.play(given, language_model=FakeLanguageModel()))


@pytest.mark.parametrize("text", ["映画", "👍", "...", "(", "a" * 2000])
def test_odd_beginnings_are_continued_too(text):
    views, _ = play(text=text, length=5)
    assert len(views[1]["pieces"]) == 5


def test_stopping_the_demo_stops_the_language_model():
    stopped = []

    class Endless:
        """Writes " on" for ever and notices when it is stopped."""

        def continue_text(self, text, **settings):
            try:
                while True:
                    yield Token(" on")
            finally:
                stopped.append(True)

    views = DEMO.play({"text": "On and"}, language_model=Endless())
    next(views), next(views)
    views.close()
    assert stopped == [True]
