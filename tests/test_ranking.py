"""Which sentence answers a question: the shipped ranking over the real topics."""

from __future__ import annotations

import numpy as np
import pytest

import assets
from explainers.intent import read_intent
from explainers.library import SHIPPED, Library, digest, load_kept, open_readers
from explainers.ranking import ASKED, TOLD, Asked, Network, Ranking, load_asked, open_ranking, told
from explainers.topics import load_topics

TOPICS = load_topics()
PLAIN, TRAINED, JUDGE, _ = open_readers(assets.path("minilm"))


@pytest.fixture(scope="module")
def library() -> Library:
    return Library(TOPICS, PLAIN, load_kept(SHIPPED))


@pytest.fixture(scope="module")
def ranking(library: Library) -> Ranking:
    return open_ranking(library, TRAINED, JUDGE)


@pytest.mark.parametrize(
    ("question", "about", "said"),
    [
        ("my teacher says two networks fight each other, which of them is the judge?", None, "discriminator"),
        ("who thought up gans", None, "Goodfellow"),
        ("why does a chatbot make things up?", None, "likely|true|fact|plausible"),
        ("and who judges them?", "gan", "discriminator"),
        ("how does it begin?", "diffusion", "noise"),
    ],
)
def test_the_sentence_that_answers_comes_among_the_first(ranking, question, about, said):
    import re

    found = ranking.rank(question, read_intent(question).kind, about, keep=3)
    assert any(re.search(said, one.text) for one in found), found


def test_scores_are_probabilities_best_first(ranking):
    found = ranking.rank("What is overfitting?", "definition", keep=5)
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True) and 0 < sum(scores) <= 1.0001


def test_a_bank_question_speaks_for_the_sentences_that_answer_it(library):
    """With one question in the bank, its sentence gains; `alone` looks past it."""
    sentence = TOPICS["gan"].passages[0].sentences[0]
    question = "what do two rival networks make"
    asked = Asked(TRAINED([question]), ((digest(told(TOPICS["gan"], sentence)),),))
    one = Ranking(library, TRAINED, asked, None, load_kept(TOLD))
    row = [text for text, _ in one.places].index(sentence)
    assert one.features(question, "other")[row, 2] == pytest.approx(1, abs=0.01)
    assert one.features(question, "other", alone=True)[row, 2] == 0
    assert np.count_nonzero(one.features(question, "other")[:, 2]) == 1


def test_a_bank_question_whose_sentence_was_edited_speaks_for_none(library):
    asked = Asked(TRAINED(["what is a GAN"]), (("00" * 8,),))
    features = Ranking(library, TRAINED, asked, None, load_kept(TOLD)).features("what is a GAN", "definition")
    assert not features[:, 2].any()


def test_the_shipped_files_fit_the_topics(ranking):
    """Every sentence is embedded ahead of time, and nearly every bank question finds its sentences."""
    kept = load_kept(TOLD)
    assert sum(digest(text) in kept for text in ranking.texts) > 0.97 * len(ranking.texts)
    known = {digest(text) for text in ranking.texts}
    links = [name in known for names in load_asked(ASKED).support for name in names]
    assert np.mean(links) > 0.97


def test_a_network_by_hand():
    network = Network(np.array([[1.0], [-1.0]]), np.array([0.5]), np.array([2.0]))
    assert network.scores(np.array([[1.0, 0.0], [0.0, 1.0]])).tolist() == [3.0, 0.0]


def test_the_trained_encoder_differs_and_leaves_the_published_one_alone():
    text = ["how does a gan learn"]
    assert not np.allclose(PLAIN(text), TRAINED(text), atol=1e-3)
    alone = open_readers(assets.path("minilm"))[0](text)
    assert np.allclose(alone, PLAIN(text), atol=1e-5)
    assert np.linalg.norm(TRAINED(text)) == pytest.approx(1, abs=1e-4)
