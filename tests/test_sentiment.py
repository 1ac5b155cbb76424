"""Telling positive from negative: the shipped weights are real, only the language model is fake."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass

import numpy as np
import pytest

from demos import sentiment
from demos.base import DemoError, final_views
from demos.sentiment import DEMO, LEXICON, MEANING, TOGETHER, WAYS, WORDS


@dataclass
class Token:
    text: str
    probability: float | None = 0.5
    alternatives: tuple[tuple[str, float], ...] = ((" positive", 0.4),)


class FakeLanguageModel:
    """Answers "It is negative." to everything, and remembers what it was asked."""

    asked = None

    def stream(self, messages, **settings):
        self.asked = messages
        yield from (Token(text) for text in ("It", " is", " negative", "."))


def play(**given):
    model = FakeLanguageModel()
    views = final_views(DEMO.play(given, language_model=model))
    return {view["key"]: view for view in views}, model


def chance(text: str, name: str = TOGETHER) -> float:
    return sentiment.probability(float(WAYS[name]([text])[0]))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Not bad at all!", ["not", "not_bad", "not_at", "not_all", "!"]),
        ("I didn’t like it. I loved it", ["i", "didn't", "not_like", "not_it", "i", "loved", "it"]),
        ("no 10/10, fine", ["no", "fine"]),
        ("映画 was très bon", ["映画", "was", "très", "bon"]),
    ],
)
def test_words_after_a_negation_are_marked_until_the_next_mark(text, found):
    assert [word for word, _ in sentiment.words_at(text)] == found


def test_words_remember_where_they_stand():
    text = "Ah, it's dull?"
    assert [text[at] for _, at in sentiment.words_at(text)] == ["A", "i", "d", "?"]


def test_pairs_of_neighbours_count_too():
    assert sentiment.word_counts("so so good") == {"so": 2, "good": 1, "so so": 1, "so good": 1}


@pytest.mark.parametrize(
    "text",
    [
        "I loved it",
        "not bad at all",
        "the best film of the year",
        "a masterpiece",
        "great",
        "so good I cried",
    ],
)
def test_short_praise_is_positive(text):
    assert chance(text) > 0.5


@pytest.mark.parametrize(
    "text",
    [
        "what a waste of an evening",
        "terrible",
        "boring",
        "not good",
        "I did not like it",
        "one of the worst films I have ever seen",
    ],
)
def test_short_blame_is_negative(text):
    assert chance(text) < 0.3


@pytest.mark.parametrize("name", WAYS)
def test_every_way_of_telling_knows_wonderful_from_terrible(name):
    assert chance("a wonderful film", name) > 0.6
    assert chance("a terrible film", name) < 0.4


def test_the_sum_weighs_the_three_others():
    texts = ["I loved it", "what a mess"]
    three = np.stack([WAYS[name](texts) for name in (WORDS, MEANING, LEXICON)], axis=1)
    model = sentiment.model()
    expected = three @ model.together + model.intercepts["together"]
    assert WAYS[TOGETHER](texts) == pytest.approx(expected, abs=1e-4)


def test_pulls_of_the_words_add_up_to_what_the_word_model_says():
    text = "The cast is wonderful, but the story is not a wonderful story."
    pieces = text.replace(" ", "| ").split("|")
    total = sum(sentiment.exact_pulls(text, pieces)) + sentiment.model().intercepts["words"]
    assert total == pytest.approx(float(sentiment.by_words([text])[0]), abs=1e-6)


def test_what_a_word_did_is_what_changes_without_it():
    (pulls,) = sentiment.left_out_pulls(sentiment.by_words, ["wonderful", " film"])
    whole, without = sentiment.by_words(["wonderful film", " film"])
    assert pulls[0] == pytest.approx(whole - without)


def test_a_long_review_leaves_neighbours_out_together_and_shows_progress():
    asked = []

    def counting(texts):
        asked.extend(texts)
        return np.array([float(len(text)) for text in texts])

    steps = [list(pulls) for pulls in sentiment.left_out_pulls(counting, [" word"] * 150)]
    assert len(asked) <= sentiment.LEFT_OUT_AT_MOST + 1
    assert len(steps) > 1 and 0.0 in steps[0]
    assert steps[-1] == pytest.approx([5.0] * 150)


def test_the_verdict_its_words_the_others_and_an_honest_note():
    views, model = play(text="what a waste of an evening")
    bars = dict(views["verdict"]["values"])
    assert list(bars) == ["negative", "positive"]
    assert bars["negative"] > 0.7 and sum(bars.values()) == pytest.approx(1)
    words = views["words"]
    assert (words["low"], words["high"]) == ("negative", "positive")
    assert "".join(piece for piece, _ in words["pieces"]) == "what a waste of an evening"
    assert min(words["pieces"], key=lambda piece: piece[1])[0] == " waste"
    assert [row[0] for row in views["compared"]["rows"]] == list(WAYS)
    assert f"{sentiment.right(TOGETHER):.0%}" in views["honest"]["text"]
    assert model.asked is None and set(views) == {"verdict", "words", "compared", "honest"}


@pytest.mark.parametrize("name", WAYS)
def test_the_verdict_is_that_of_the_chosen_way(name):
    views, _ = play(text="A dull, dull film!", classifier=name)
    assert dict(views["verdict"]["values"])["positive"] == pytest.approx(
        chance("A dull, dull film!", name)
    )
    assert all(-1 <= weight <= 1 for _, weight in views["words"]["pieces"])


def test_the_language_model_is_asked_in_words_and_its_answer_grows():
    given = {"text": "so dull", "ask_language_model": True}
    model = FakeLanguageModel()
    views = DEMO.play(given, language_model=model)
    grown = [len(view.pieces) for view in views if view.kind == "tokens"]
    assert grown == [1, 2, 3, 4]
    assert "so dull" in model.asked[0]["content"] and model.asked[0]["role"] == "user"


def test_the_difference_between_predicting_and_writing_is_explained():
    views, _ = play(text="so dull", ask_language_model=True)
    assert [piece["text"] for piece in views["asked"]["pieces"]][2] == " negative"
    assert "Predicting chooses" in views["difference"]["text"]


@pytest.mark.parametrize("text", ["映画が大好きです", "???", "👍", "12345", "x" * 1000])
def test_words_it_never_saw_are_called_a_guess(text):
    views, _ = play(text=text)
    assert "take this verdict as a guess" in views["honest"]["text"]
    assert json.dumps(list(views.values()))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"text": " "}, "empty"),
        ({"text": "a" * 1001}, "at most 1,000"),
        ({"classifier": "dice"}, "one of"),
        ({"ask_language_model": "yes"}, "on or off"),
    ],
)
def test_wrong_input_is_refused_in_plain_words(given, says):
    with pytest.raises(DemoError, match=says):
        list(DEMO.play(given, language_model=FakeLanguageModel()))


def test_the_default_is_the_best_on_reviews_that_no_training_saw():
    card = sentiment.model().card
    accuracy = {name: figures["accuracy"] for name, figures in card["held_out"].items()}
    default = next(field.default for field in DEMO.inputs if field.name == "classifier")
    assert max(accuracy, key=accuracy.get) == sentiment.NAMES[default]
    assert max(card["cross_validated"], key=card["cross_validated"].get) == sentiment.NAMES[default]


def test_the_model_card_shows_the_figures_that_the_demo_shows():
    page = (sentiment.WEIGHTS / "README.md").read_text(encoding="utf-8")
    for figures in sentiment.model().card["held_out"].values():
        assert f"{figures['accuracy']:.1%}" in page
    assert "Hutto" in page and "MIT" in page


def test_the_weights_are_small():
    assert sum(file.stat().st_size for file in sentiment.WEIGHTS.iterdir()) < 2_000_000


def test_a_long_review_can_be_stopped():
    views = DEMO.play({"text": "word " * 199}, language_model=FakeLanguageModel())
    assert [view.kind for view in itertools.islice(views, 2)] == ["bars", "words"]
    views.close()
