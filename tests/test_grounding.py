"""Is a sentence supported by the passages? Labelled examples over the real topics.

What the tutor's model writes differs little from its passages when it is right, and often by one
word when it is wrong: those are the cases here.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from explainers.grounding import (
    Grounding,
    content_words,
    numbers_and_names,
    pairs,
    stem,
    worded_like,
)
from explainers.topics import load_topics

TOPICS = load_topics()
READ = ("In short", "How it works", "Side by side")

SUPPORTED = [
    # word for word
    ("gan", "Ian Goodfellow and colleagues introduced GANs in 2014."),
    ("gan", "Each of the two networks improves because its rival improves."),
    ("diffusion", "Creation then starts from pure noise and ends with a new example."),
    ("spam-filtering", "A spam filter is not generative AI, because it only picks a label."),
    ("overfitting", "Regularisation means adding a gentle pressure that keeps a model simple."),
    ("clustering", "DBSCAN joins items that lie in dense regions and marks isolated items as noise."),
    ("reinforcement-learning", "The rule for choosing actions is called a policy."),
    # a little other
    ("gan", "The generator starts with random numbers and turns them into something like a picture."),
    ("gan", "A GAN is a generative model made of two neural networks that compete."),
    ("gan", "The discriminator learns to tell real from fake."),
    ("diffusion", "A diffusion model makes new pictures or sounds by removing noise step by step."),
    ("overfitting", "The model learned chance details as well as the real pattern."),
    ("overfitting", "More varied data or a simpler model can reduce overfitting."),
    ("reinforcement-learning", "The agent observes a situation and chooses an action."),
    ("large-language-models", "A large language model is a very large neural network trained on text."),
]  # fmt: skip

UNSUPPORTED = {
    "roles swapped": [
        ("gan", "The discriminator makes fake examples, and the generator tries to spot them."),
        ("gan", "The discriminator starts from random numbers and turns them into a picture."),
        ("reinforcement-learning", "A reward observes an agent and chooses a situation."),
    ],
    "a wrong number": [
        ("gan", "Ian Goodfellow and colleagues introduced GANs in 2012."),
        ("gan", "A GAN is made of three neural networks that compete."),
        ("large-language-models", "GPT-3, presented by Brown and colleagues in 2020, has 17 billion parameters."),
        ("clustering", "Stuart Lloyd described the procedure at Bell Labs in 1975."),
    ],
    "a wrong name": [
        ("gan", "Yann LeCun and colleagues introduced GANs in 2014."),
        ("diffusion", "Diffusion models were introduced by Vaswani and colleagues in 2015."),
        ("overfitting", "Dropout was introduced by Alan Turing and colleagues in 2012."),
        ("large-language-models", "GPT-3 was presented by Google in 2020."),
    ],
    "denied or the other way round": [
        ("gan", "The discriminator never learns to tell real from fake."),
        ("gan", "In practice GANs are not hard to train."),
        ("spam-filtering", "A spam filter is generative AI, because it only picks a label."),
        ("diffusion", "A diffusion model does not make new pictures by removing noise."),
    ],
    "words from elsewhere": [
        ("gan", "A GAN is a recipe for cooking pasta."),
        ("gan", "The generator uses convolution layers and batch normalisation."),
        ("diffusion", "Diffusion models are used by doctors to cure patients."),
        ("overfitting", "Cross-validation and weight decay are the best remedies."),
        ("clustering", "Clustering helps supermarkets to double their profits."),
        ("spam-filtering", "Spam filters read your mail and sell it to advertisers."),
    ],
    "one decisive word changed": [
        ("gan", "Ian Goodfellow and colleagues introduced GANs in 2018."),
        ("gan", "The generator learns to tell real from fake, and the discriminator learns to fool it."),
        ("gan", "A GAN is a discriminative model made of two neural networks that compete."),
        ("gan", "A GAN makes a picture over many steps, while diffusion makes it in a single pass."),
        ("gan", "Vaswani and colleagues introduced GANs in 2014."),
        ("diffusion", "In training, the computer removes a known amount of noise from a real picture."),
        ("diffusion", "A diffusion model makes pictures by adding noise step by step."),
        ("diffusion", "A diffusion model turns a picture into a label."),
        ("clustering", "Clustering does not belong to unsupervised learning."),
        ("clustering", "Clustering belongs to supervised learning, because the examples carry no labels."),
        ("overfitting", "A typical sign is a very poor training score beside a clearly good score on unseen data."),
        ("overfitting", "The opposite fault, overfitting, appears when a model is too simple."),
    ],
    "nothing said": [("gan", "And so it is."), ("gan", "..."), ("gan", "")],
}  # fmt: skip


@pytest.fixture(scope="module")
def material() -> Mapping[str, Grounding]:
    """What the tutor holds an answer about each topic against."""
    return {
        slug: Grounding([text for passage in topic.passages if passage.section in READ
                         for text in passage.sentences])
        for slug, topic in TOPICS.items()
    }  # fmt: skip


@pytest.mark.parametrize(("topic", "sentence"), SUPPORTED)
def test_what_the_material_says_is_supported(material, topic: str, sentence: str):
    verdict = material[topic].check(sentence)
    assert verdict.supported, verdict
    assert verdict.source in {text for one in TOPICS[topic].passages for text in one.sentences}
    assert not verdict.reason


@pytest.mark.parametrize(
    ("topic", "sentence"),
    [pytest.param(*case, id=f"{why}: {case[1]}") for why, all in UNSUPPORTED.items() for case in all],
)
def test_what_the_material_does_not_say_is_not(material, topic: str, sentence: str):
    verdict = material[topic].check(sentence)
    assert not verdict.supported
    assert len(verdict.reason.split()) >= 3  # in plain words


@pytest.mark.parametrize("topic", ["gan", "spam-filtering", "everyday-examples", "history"])
def test_every_sentence_of_a_topic_supports_itself(material, topic: str):
    prose = [one for one in TOPICS[topic].passages if one.section in READ and not one.names]
    verdicts = {text: material[topic].check(text) for one in prose for text in one.sentences}
    assert {text: verdict for text, verdict in verdicts.items() if not verdict.supported} == {}


def test_a_sentence_of_another_topic_is_not_supported(material):
    assert not material["gan"].check(TOPICS["clustering"].passages[0].sentences[0]).supported


@pytest.mark.parametrize(
    "forms",
    [
        ("generates", "generated", "generating", "Generate"),
        ("network", "networks", "network's", "network’s"),
    ],
)
def test_forms_of_a_word_share_a_stem(forms: tuple[str, ...]):
    assert len({stem(form) for form in forms}) == 1


def test_content_words_leave_out_what_says_little():
    assert content_words("What is it that the model is?") == content_words("Models")
    assert content_words("It is and was.") == set()


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("The Turing test is from 1950.", {"turing", "1950"}),
        ("It has two networks and 3.5 percent.", {"two", "3.5", "percent"}),
        ("Nothing special here.", set()),
        ("", set()),
    ],
)
def test_numbers_and_names(sentence: str, found: set[str]):
    assert numbers_and_names(sentence) == found


def test_pairs_keep_the_order_of_words():
    assert pairs("noise becomes picture") != pairs("picture becomes noise")
    near = pairs("noise slowly becomes picture", reach=3)
    assert (stem("noise"), stem("picture")) in near


def test_a_year_at_the_end_is_still_that_year():
    source = "Goodfellow introduced GANs in 2014, and others made them better."
    assert not worded_like("Goodfellow introduced GANs in 2014.", source)
    assert worded_like("Goodfellow introduced GANs in 2015.", source)
