"""Finding passages, with the real sentence embeddings over the real topics."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import assets
from explainers.library import (
    SHIPPED,
    Library,
    digest,
    load_kept,
    open_encoder,
    plain_name,
    save_kept,
)
from explainers.topics import load_topics

MINILM = assets.path("minilm")
TOPICS = load_topics()
FEW = {slug: TOPICS[slug] for slug in ("gan", "vae", "diffusion")}


class Encoder:
    """The real one, which remembers what it had to embed."""

    def __init__(self) -> None:
        self._encode = open_encoder(MINILM)
        self.embedded: list[str] = []

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        self.embedded += texts
        return self._encode(texts)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder()


@pytest.fixture(scope="module")
def library(encoder: Encoder) -> Library:
    english = (MINILM / "vocab.txt").read_text(encoding="utf-8").split()
    return Library(TOPICS, encoder, load_kept(SHIPPED), english)


@pytest.fixture(autouse=True)
def nothing_embedded_yet(encoder: Encoder, library: Library) -> None:
    encoder.embedded.clear()


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("How do the two networks in a GAN train each other?", "gan"),
        ("what turns noise into a picture step by step", "diffusion"),
        ("why does my model do great on training data and badly on new data", "overfitting"),
        ("How does Netflix know which film I would like?", "recommender-systems"),
        ("why does AI invent facts that sound true", "hallucination"),
        ("junk e-mail", "spam-filtering"),
        ("what is a lage langauge modle", "large-language-models"),
        ("sorting shoppers into groups by what they buy", "customer-segmentation"),
        ("should I use predictive or generative AI for my project", "when-to-use-which"),
        ("computer learns by reward and punishment", "reinforcement-learning"),
        ("turning speech into text", "speech-recognition"),
        ("does a wahing machine use AI?", "everyday-examples"),
    ],
)
def test_a_question_finds_its_topic(library: Library, question: str, topic: str):
    found = library.search(library.respell(question))
    assert topic in [slug for slug, _ in found.topics[:2]]
    assert found.score == found.topics[0][1]


def test_findings_are_sorted_and_their_sentences_stand_in_their_passages(library: Library):
    found = library.search("Which network tells real pictures from fakes in a GAN?", keep=20)
    for scores in ([score for _, score in found.topics], [one.score for one in found.sentences]):
        assert len(scores) == 20 and scores == sorted(scores, reverse=True)
    assert all(one.text in one.passage.text for one in found.sentences)
    assert "discriminator" in found.sentences[0].text


def test_a_question_of_a_topic_finds_itself(library: Library):
    for topic in TOPICS.values():
        assert library.search(topic.questions[0]).topics[0][0] == topic.slug


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("How does a discriminater work?", "How does a discriminator work?"),
        ("what is overfiting", "what is overfitting"),
        ("genrative ai", "generative ai"),
        ("hwo does netflx recomend movis", "how does netflix recommend movie"),
        ("wut r embedings", "what are embeddings"),
        ("tell me wich colour u like, Marta Blorp", "tell me which colour you like, Marta Blorp"),
        ("What is machine learning?", "What is machine learning?"),
        ("a spoon and a giraffe", "a spoon and a giraffe"),
        ("xqzvw 2014 GPT-3!", "xqzvw 2014 GPT-3!"),
        ("", ""),
    ],
)
def test_misspelt_words_are_put_right_and_others_left_alone(library: Library, typed, meant):
    assert library.respell(typed) == meant


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("Tell me about GANs and VAEs", "gan"),
        ("are large language models clever?", "large-language-models"),
        ("the difference between ML vs GenAI", "ml-versus-generative-ai"),
        ("STYLEGAN!", "gan"),
        ("an organ is no network", None),
        ("the weather in Lima", None),
        ("", None),
    ],
)
def test_a_topic_is_mentioned_by_title_or_alias(library: Library, text: str, topic: str | None):
    assert library.mentioned(text) == topic


@pytest.mark.parametrize(
    ("word", "known"),
    [("discriminator", True), ("GANs", True), ("Goodfellow", True), ("Beyonce", False)],
)
def test_words_of_the_topics_are_known(library: Library, word: str, known: bool):
    assert library.knows(word) is known


def test_names_are_compared_without_case_and_plural():
    assert plain_name("Large Language Models!") == "large language model"
    assert plain_name("k-means") == plain_name("K mean")


# ------------------------------------------------------------------------------ embeddings


def test_vectors_have_length_one_and_meaning(encoder: Encoder):
    cat, kitten, tax = encoder(["a cat", "a kitten", "the tax office"])
    assert np.allclose([np.linalg.norm(one) for one in (cat, kitten, tax)], 1, atol=1e-5)
    assert cat @ kitten > cat @ tax + 0.3


def test_what_is_kept_is_not_embedded_again(encoder: Encoder, tmp_path: Path):
    first = Library(FEW, encoder, {})
    assert first.made_fresh and set(encoder.embedded) == set(first.texts)
    save_kept(tmp_path / "kept.safetensors", first.texts, first.vectors)

    encoder.embedded.clear()
    second = Library(FEW, encoder, load_kept(tmp_path / "kept.safetensors"))
    assert encoder.embedded == [] and not second.made_fresh
    assert np.allclose(first.vectors, second.vectors, atol=1e-3)


def test_only_what_changed_is_embedded_anew(encoder: Encoder):
    kept = {digest(text): np.zeros(384, np.float16) for text in Library(FEW, encoder, {}).texts}
    stale = digest(FEW["gan"].questions[0])
    del kept[stale]
    encoder.embedded.clear()
    library = Library(FEW, encoder, kept)
    assert encoder.embedded == [FEW["gan"].questions[0]] and library.made_fresh
    lengths = np.linalg.norm(library.vectors, axis=1)
    assert set(lengths.round(3)) == {0, 1}  # zeros were kept as they were; one row is fresh


def test_the_library_looks_its_own_texts_up(encoder: Encoder, library: Library):
    vectors = library.embed(["How does a GAN work?", "something never heard of"])
    assert encoder.embedded == ["something never heard of"] and vectors.shape == (2, 384)


def test_no_file_keeps_nothing(tmp_path: Path):
    assert load_kept(tmp_path / "missing.safetensors") == {}


def test_most_shipped_embeddings_are_fresh(library: Library):
    """Run `python -m training.library` after many topics have changed."""
    kept = load_kept(SHIPPED)
    assert sum(digest(text) in kept for text in library.texts) > 0.9 * len(library.texts)
