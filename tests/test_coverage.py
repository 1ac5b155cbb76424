"""When to abstain: the shipped weights on questions the library covers and others, and their data."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import yaml

import assets
from explainers.coverage import FAVOURED, Coverage, features, open_coverage
from explainers.library import SHIPPED, Library, load_kept, open_readers
from explainers.plan import subject_of
from explainers.ranking import Ranking, open_ranking
from explainers.topics import load_topics
from training.coverage import QUESTIONS

TOPICS = load_topics()
ASKED = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))


*READERS, READ = open_readers(assets.path("minilm"))


@pytest.fixture(scope="module")
def library() -> Library:
    return Library(TOPICS, READERS[0], load_kept(SHIPPED))


@pytest.fixture(scope="module")
def ranking(library: Library) -> Ranking:
    return open_ranking(library, READERS[1], READERS[2])


@pytest.fixture(scope="module")
def coverage() -> Coverage:
    return open_coverage()


@pytest.mark.parametrize(
    "question",
    [
        "How do the two networks of a GAN learn from each other?",
        "why does my model fail on new data",
        "what makes diffusion start from noise",
        "is my spam folder run by generative AI?",
        "how does a chatbot choose the next word",
        "can machines be unfair to some people",
        "predicting house prices from size",
    ],
)
def test_what_the_topics_answer_is_covered(library, ranking, coverage, question: str):
    assert not coverage.uncovered(library, ranking, READ, question, subject_of(question))


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of Peru?",
        "How do I bake sourdough bread?",
        "who won the world cup in 2018",
        "fix my python code please",
        "how tall is mount everest",
        "Should I invest in bitcoin?",
        "how do I string a violin",
        "what is 48 times 19",
    ],
)
def test_what_they_do_not_is_not(library, ranking, coverage, question: str):
    assert coverage.uncovered(library, ranking, READ, question, subject_of(question))


@pytest.mark.parametrize(
    "question",
    [
        "What is the newest diffusion model?",
        "How much does ChatGPT Plus cost?",
        "which company has the best chatbot",
        "best gpu for deep learning",
    ],
)
def test_what_changes_by_the_day_is_declined_even_if_favoured(library, ranking, coverage, question: str):
    reason = coverage.uncovered(library, ranking, READ, question, subject_of(question), favour=FAVOURED)
    assert "no news" in reason


def test_a_question_about_writing_code_is_no_order_to_write_some(library, ranking, coverage):
    question = "Can generative AI write program code as well?"
    assert "no news" not in coverage.uncovered(library, ranking, READ, question, subject_of(question))


def test_naming_a_topic_counts_in_favour(library, ranking):
    """With a threshold that a question just misses, being favoured is enough."""
    shipped, question = open_coverage(), "what makes diffusion start from noise"
    sure = shipped.probability(features(library, ranking, READ, question, subject_of(question)))
    strict = Coverage(shipped.weights, shipped.bias, threshold=min(1.0, sure * 1.5))
    assert "near enough" in strict.uncovered(library, ranking, READ, question, subject_of(question))
    assert not strict.uncovered(library, ranking, READ, question, subject_of(question), favour=FAVOURED)


def test_a_probability_is_between_nothing_and_certain(coverage):
    assert 0 < coverage.threshold < 1
    assert coverage.probability(np.zeros_like(coverage.weights)) == pytest.approx(
        1 / (1 + np.exp(-coverage.bias))
    )


def test_features_fit_the_weights_and_look_past_what_is_left_out(library, ranking, coverage):
    own = TOPICS["gan"].questions[0]
    whole = features(library, ranking, READ, own, "GAN")
    without = features(library, ranking, READ, own, "GAN", leave_out=own)
    assert whole.shape == without.shape == coverage.weights.shape
    assert whole[0] > without[0]  # the nearest question is the question itself, or another


def test_the_weights_get_most_of_their_own_questions_right(library, ranking, coverage):
    """Every tenth question that they were trained on; training prints the honest figures."""
    right = Counter()
    for kind, wanted in (("covered", True), ("uncovered", False)):
        some = [one["ask"] for one in ASKED[kind][::10]]
        right[kind] = sum((not coverage.uncovered(library, ranking, READ, q, subject_of(q))) is wanted for q in some)
        assert right[kind] >= 0.8 * len(some)


# ------------------------------------------------------------------- training/questions.yaml


def test_the_questions_are_well_formed():
    assert set(ASKED) == {"covered", "uncovered"}
    assert all(set(one) == {"ask", "topics"} and one["topics"] for one in ASKED["covered"])
    assert all(set(one) == {"ask", "why"} and one["why"] for one in ASKED["uncovered"])
    asks = [one["ask"] for kind in ASKED.values() for one in kind]
    assert all(isinstance(ask, str) and ask.strip() == ask and ask for ask in asks)
    assert min(len(ASKED["covered"]), len(ASKED["uncovered"])) > 100


def test_the_questions_name_topics_that_exist():
    named = {slug for one in ASKED["covered"] for slug in one["topics"]}
    assert named <= set(TOPICS)
    assert len(named) > 0.9 * len(TOPICS)


def test_no_question_stands_twice_or_in_a_topic():
    """What is learned from a topic's own question says nothing about new ones."""
    asks = [one["ask"].lower() for kind in ASKED.values() for one in kind]
    assert [ask for ask, times in Counter(asks).items() if times > 1] == []
    own = {question.lower() for topic in TOPICS.values() for question in topic.questions}
    assert own.isdisjoint(asks)
