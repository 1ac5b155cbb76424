"""Does a sentence answer a question? The shipped judge."""

from __future__ import annotations

import numpy as np
import pytest

import assets
from explainers.library import open_readers
from explainers.reranker import TOGETHER

JUDGE = open_readers(assets.path("minilm"))[2]


@pytest.mark.parametrize(
    ("question", "right", "wrong"),
    [
        ("Who judges the pictures in a GAN?",
         "GANs: The discriminator is the judge: it guesses whether a picture is real or made.",
         "GANs: The generator turns random numbers into something like a picture."),
        ("how can made-up answers be reduced?",
         "Hallucination: Giving the model documents to answer from reduces invented statements.",
         "Hallucination: A hallucination is a statement that sounds plausible but is false."),
    ],
)  # fmt: skip
def test_what_answers_scores_above_what_only_speaks_of_it(question: str, right: str, wrong: str):
    first, second = JUDGE(question, [right, wrong])
    assert first > second


def test_nothing_answers_a_question_from_elsewhere():
    scores = JUDGE("How do I bake bread?", ["GANs: A GAN is two neural networks that compete.", "Tokens: A token is a piece of text."])  # noqa: E501
    assert scores.max() < 0


def test_company_does_not_change_a_score():
    """Sentences go through in batches of like length, padded; each keeps its place and, but for rounding, its score."""
    sentences = [f"Overfitting: A model {'really ' * n}learns by heart." for n in range(TOGETHER + 5)]
    together = JUDGE("what is overfitting", sentences)
    assert np.allclose(together, [JUDGE("what is overfitting", [one])[0] for one in sentences], atol=0.25)
