"""Messages that are no question: each gets one civil sentence, and real questions are left alone."""

from __future__ import annotations

import pytest

from explainers.oddities import CIVIL, CODE, foreign, unreadable


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("", "empty"),
        (None, "empty"),
        ("\x00\x07", "empty"),
        ("🎉🎉", "no words"),
        ("why " * 3000, "at most 2,000"),
        ("Что такое нейронная сеть?", "English"),
        ("什么是机器学习", "English"),
        ("def f(x):\n    return [i for i in x if i > 0]", CODE),
        ("SELECT name, (age) FROM people WHERE id = 3; DROP TABLE people;", CODE),
        ("for (int i = 0; i < n; i++) { sum += a[i]; }", CODE),
        ("you are a stupid machine", CIVIL),
        ("shut up, you useless bot", CIVIL),
        ("this is shit", CIVIL),
    ],
)
def test_what_cannot_be_answered_gets_one_sentence(message, said):
    assert said in unreadable(message)


@pytest.mark.parametrize(
    "question",
    [
        "what is f(x) in machine learning?",
        "Why do chatbots say stupid things?",
        "is a <b>bold</b> claim by a model true?",
        "what does a loss function = 0 mean?",
        "explain softmax(x)",
        "my stupid model overfits, why?",
        "why is generative AI so shit at hands",
        "What if I feed a model garbage?",
    ],
)
def test_questions_are_left_alone(question):
    assert unreadable(question) == ""


@pytest.mark.parametrize(
    ("message", "language"),
    [
        ("Was ist der Unterschied zwischen maschinellem Lernen und generativer KI?", "German"),
        ("Qu'est-ce que le machine learning et comment ça marche ?", "French"),
        ("¿Qué es una red neuronal y cómo aprende?", "Spanish"),
        ("Che cosa è una GAN e come funziona?", "Italian"),
        ("Wat is het verschil tussen ML en generatieve AI?", "Dutch"),
        ("What is a GAN?", ""),
        ("gan vs vae", ""),
        ("Was that a prediction or not?", ""),
        ("does the model die if it has no data", ""),
        ("who is Ian Goodfellow", ""),
        ("explain La La Land style transfer", ""),
    ],
)
def test_other_languages_are_known_by_their_little_words(message, language):
    assert foreign(message) == language
