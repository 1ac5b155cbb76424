"""What the tutor knows is complete: topics, their sources, their demos, and credit for everything.

`explainers/topics.py` refuses a topic that is malformed; these tests hold what is only seen when
topics, demos and weights are looked at together.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

import demos
from demos.base import Demo, Input
from explainers.topics import SECTIONS, Topic, TopicError, load_topics, read_topic

ROOT = Path(__file__).parent.parent
TOPICS = load_topics()
DEMOS = demos.load()
LICENCE = re.compile(r"Apache|MIT|BSD|CC[- ]BY|CC0|public domain|our own", re.I)

EACH_TOPIC = pytest.mark.parametrize("topic", TOPICS.values(), ids=TOPICS.keys())
EACH_DEMO = pytest.mark.parametrize("demo", DEMOS.values(), ids=DEMOS.keys())


def test_there_is_enough_to_ask_about():
    assert len(TOPICS) >= 50
    assert {topic.side for topic in TOPICS.values()} == {"predict", "create", "both"}


@EACH_TOPIC
def test_a_topic_is_complete(topic: Topic):
    assert tuple(topic.sections) == SECTIONS
    assert all(len(text.split()) >= 15 for text in topic.sections.values())
    assert len(topic.questions) >= 8
    assert topic.slug not in topic.related


@EACH_TOPIC
def test_a_topic_has_sources_that_can_be_opened(topic: Topic):
    assert topic.sources
    for source in topic.sources:
        assert re.fullmatch(r"https://[\w.-]+\.\w+(/\S*)?", source.url), source
        assert source.title and source.authors and 1600 < source.year < 2100, source


@EACH_TOPIC
def test_a_topic_names_demos_that_exist(topic: Topic):
    assert set(topic.demos) <= set(DEMOS)


@EACH_TOPIC
def test_a_topic_holds_text_only(topic: Topic):
    """Sentences are quoted on the page as they stand: no markup, no leftovers of writing."""
    for section, text in topic.sections.items():
        found = re.search(r"[<>`*]|\]\(|https?:|TODO|FIXME|\bTBD\b", text)
        assert not found, f"{topic.slug}, {section}: {found[0]!r}"


def test_no_question_stands_twice():
    """Spelling aside: two topics with one question would take turns in answering it."""
    asked = Counter(
        re.sub(r"\W+", " ", question.lower()).strip()
        for topic in TOPICS.values()
        for question in topic.questions
    )
    assert [question for question, times in asked.items() if times > 1] == []


def test_no_two_topics_share_a_name():
    names = Counter(
        name.lower()
        for topic in TOPICS.values()
        for name in {topic.title.lower(), *(alias.lower() for alias in topic.aliases)}
    )
    assert [name for name, times in names.items() if times > 1] == []


@EACH_DEMO
def test_a_demo_belongs_to_a_topic_and_back(demo: Demo):
    assert demo.topic in TOPICS
    assert demo.slug in TOPICS[demo.topic].demos, f"{demo.topic}.md does not name {demo.slug}"


@EACH_DEMO
def test_a_demo_gives_credit_and_licence(demo: Demo):
    assert demo.credits
    assert all(LICENCE.search(credit) for credit in demo.credits), demo.credits


@EACH_DEMO
def test_a_demo_accepts_its_own_defaults_and_examples(demo: Demo):
    assert len(demo.summary.split()) >= 8 and demo.examples
    for given in ({}, *demo.examples):
        assert set(demo.check(given)) == {one.name for one in demo.inputs}


@EACH_DEMO
def test_a_demo_labels_its_inputs(demo: Demo):
    inputs: tuple[Input, ...] = demo.inputs
    assert all(one.label for one in inputs)
    assert len({one.name for one in inputs}) == len(inputs)


def weights() -> list[Path]:
    return sorted(folder for folder in (ROOT / "weights").iterdir() if folder.is_dir())


@pytest.mark.parametrize("folder", weights(), ids=lambda folder: folder.name)
def test_weights_come_with_a_model_card(folder: Path):
    """A card says how they were made (by a command that exists), from what, and their limits."""
    card = (folder / "README.md").read_text(encoding="utf-8")
    for wanted in ("licen[cs]e", "data", r"python -m training\.[\w.]+", "limit"):
        assert re.search(wanted, card, re.I), f"{folder.name}/README.md says nothing of: {wanted}"
    script = re.search(r"python -m training\.([\w.]+\w)", card)[1]
    assert (ROOT / "training" / f"{script.replace('.', '/')}.py").exists()


@pytest.mark.parametrize("folder", weights(), ids=lambda folder: folder.name)
def test_weights_hold_numbers_and_no_code(folder: Path):
    """Pickles can run code when they are loaded; safetensors cannot."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert any(file.suffix in {".safetensors", ".json"} for file in files)
    assert not [file for file in files if file.suffix in {".pkl", ".pt", ".pth", ".bin", ".joblib"}]
    assert sum(file.stat().st_size for file in files) < 50e6


# ---------------------------------------------------------------- what an author is told

GOOD = (ROOT / "explainers" / "topics" / "gan.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (GOOD.replace("side: create", "side: left"), "side.*predict, create, both"),
        (GOOD.replace("aliases:", "nicknames:"), "unknown key 'nicknames'"),
        (GOOD.replace("## Example", "## Instance"), "sections.*have to be"),
        (GOOD.replace("title: Generative", "title: [Generative"), "not YAML"),
        (GOOD.replace("authors:", "writers:"), "a source needs exactly title, authors"),
        ("Just text.", "has to begin with front matter"),
    ],
    ids=["side", "key", "section", "yaml", "source", "no front matter"],
)
def test_a_wrong_topic_file_is_named_with_the_cure(tmp_path: Path, wrong: str, told: str):
    file = tmp_path / "wrong.md"
    file.write_text(wrong, encoding="utf-8")
    with pytest.raises(TopicError, match=told) as error:
        read_topic(file)
    assert "wrong.md" in str(error.value)


def test_a_question_in_two_files_names_both(tmp_path: Path):
    for name in ("one", "two"):
        plain = GOOD.replace("[vae, diffusion, mode-collapse, deepfakes]", "[]")
        (tmp_path / f"{name}.md").write_text(plain, encoding="utf-8")
    with pytest.raises(TopicError, match=r"one\.md and two\.md both have the question"):
        load_topics(tmp_path)
