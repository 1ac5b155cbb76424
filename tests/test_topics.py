"""Topic files: what an author may write, and what a wrong file is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from explainers.topics import (
    KEYS,
    SECTIONS,
    TopicError,
    load_topics,
    read_topic,
    split_sentences,
)

TOPICS = load_topics()

META = """\
title: Toasters
side: predict
aliases: [toaster]
questions: [q1, q2, q3, q4, q5, q6, q7, q8]
demos: []
related: []
sources:
  - {title: On Toast, authors: A. Baker, year: 1999, url: "https://example.org/toast"}
"""
BODY = "".join(f"## {section}\nText of {section.lower()}.\n\n" for section in SECTIONS)


def write(folder: Path, meta: str = META, body: str = BODY, name: str = "toasters") -> Path:
    file = folder / f"{name}.md"
    file.write_text(f"---\n{meta}---\n{body}", encoding="utf-8")
    return file


def told(file: Path) -> str:
    with pytest.raises(TopicError) as error:
        read_topic(file)
    return str(error.value)


def test_a_topic_file_is_read(tmp_path: Path):
    topic = read_topic(write(tmp_path))
    assert (topic.slug, topic.title, topic.side) == ("toasters", "Toasters", "predict")
    assert topic.aliases == ("toaster",) and len(topic.questions) == 8
    assert topic.sources[0].year == 1999
    assert topic.sections["Example"] == "Text of example."
    assert [passage.section for passage in topic.passages] == list(SECTIONS)


def test_the_order_of_keys_is_free_and_text_may_hold_rules(tmp_path: Path):
    backwards = "title: Toasters\n" + "".join(META.partition("title: Toasters\n")[::2])
    assert read_topic(write(tmp_path, "# a comment\n" + backwards)).title == "Toasters"
    with_rule = BODY.replace("Text of example.", "One.\n\n---\nTwo.")
    assert read_topic(write(tmp_path, body=with_rule)).sections["Example"] == "One. --- Two."


@pytest.mark.parametrize("key", KEYS)
def test_a_missing_key_is_named(tmp_path: Path, key: str):
    lines = META.replace("\n  - {", " [{").replace('toast"}', 'toast"}]').splitlines(True)
    without = "".join(line for line in lines if not line.startswith(f"{key}:"))
    assert told(write(tmp_path, without)).startswith(f"toasters.md: `{key}` is missing")


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("side: predict", "side: left", ["`side` is 'left'", "predict, create, both"]),
        ("side: predict", "side: neither", ["`side` is 'neither'", "predict, create, both"]),
        ("title: Toasters", "title: [Toasters]", ["`title`", "not a str", "front matter"]),
        ("related: []", "related: vae", ["`related`", "not a list"]),
        ("demos: []", "demos:", ["`demos`", "not a list"]),
        ("related: []", "related: []\nmood: good", ["unknown key 'mood'", "Known: title, side"]),
        (", q8]", "]", ["7 questions", "eight or more"]),
        ("year: 1999, ", "", ["exactly title, authors, year, url", "On Toast"]),
        ("authors:", "writers:", ["exactly title, authors, year, url", "writers"]),
        ("title: Toasters", "title: To: asters", ["not YAML", "Quote text with a colon"]),
    ],
)
def test_wrong_front_matter_is_told_file_key_and_cure(tmp_path: Path, right, wrong, says):
    assert right in META
    text = told(write(tmp_path, META.replace(right, wrong)))
    assert text.startswith("toasters.md: ")
    assert [one for one in says if one not in text] == []


@pytest.mark.parametrize(
    "body",
    [
        BODY.replace("## Example", "## For instance"),
        BODY.replace("## Common mistakes", "### Common mistakes"),
        BODY.split("## Side by side")[0],
        BODY + "## More\nText.\n",
        "## How it works\nText.\n\n" + BODY,
        "",
    ],
    ids=["renamed", "third level", "cut off", "one too many", "twice", "empty"],
)
def test_wrong_sections_are_told_the_right_ones(tmp_path: Path, body: str):
    text = told(write(tmp_path, body=body))
    assert text.startswith("toasters.md: the sections are")
    assert ", ".join(SECTIONS) in text


@pytest.mark.parametrize("text", ["", "Only text.\n", "title: no rules\n", "---\ntitle: one rule\n"])
def test_a_file_without_front_matter_is_told_so(tmp_path: Path, text: str):
    file = tmp_path / "bare.md"
    file.write_text(text, encoding="utf-8")
    assert "bare.md: the file has to begin with front matter" in told(file)


def test_a_related_topic_has_to_exist(tmp_path: Path):
    write(tmp_path, META.replace("related: []", "related: [kettles]"))
    with pytest.raises(TopicError, match=r"toasters\.md: `related` names 'kettles'.*write it"):
        load_topics(tmp_path)


def test_one_question_in_two_files_names_both_whatever_its_case(tmp_path: Path):
    write(tmp_path)
    other = META.replace("q1, q2, q3, q4, q5, q6, q7", "a, b, c, d, e, f, g")
    write(tmp_path, other.replace("q8", "Q8"), name="kettles")
    with pytest.raises(TopicError, match=r"kettles\.md and toasters\.md both .*Keep it in one"):
        load_topics(tmp_path)


# ----------------------------------------------------------------------- everyday examples

ITEMS = """\
## Example
Some devices, side by side.

- **Toaster / toast maker** (neither): It follows a timer. It learns nothing.
- **Recipe bot** (create): It writes new recipes.
"""


def test_an_item_is_a_passage_of_its_own(tmp_path: Path):
    body = BODY.replace("## Example\nText of example.\n", ITEMS)
    prose, *items = [p for p in read_topic(write(tmp_path, body=body)).passages if p.section == "Example"]
    assert prose.text.startswith("Some devices") and "Recipe bot" not in prose.text
    assert [item.names for item in items] == [("Toaster", "toast maker"), ("Recipe bot",)]
    assert [item.side for item in items] == ["neither", "create"]
    assert items[0].sentences == ("It follows a timer.", "It learns nothing.")


def test_an_item_with_a_side_that_does_not_exist_is_told(tmp_path: Path):
    body = BODY.replace("Text of example.", "- **Toaster** (predicts): It follows a timer.")
    assert "`- **Name** (predict): sentence`" in told(write(tmp_path, body=body))


def test_our_everyday_examples_take_every_side():
    items = [one for topic in TOPICS.values() for one in topic.passages if one.names]
    assert {one.side for one in items} == {"predict", "create", "both", "neither"}
    names = [name.lower() for one in items for name in one.names]
    assert len(names) > 50 and len(set(names)) == len(names)


# ------------------------------------------------------------------------------- sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Lines\n  are joined. Spaces   too.", ["Lines are joined.", "Spaces too."]),
        ("J. R. Smith wrote it. Yes.", ["J. R. Smith wrote it.", "Yes."]),
        ("Tools, e.g. Excel, count. Done.", ["Tools, e.g. Excel, count.", "Done."]),
        ("Dr. Who met Mr. Bean. Fine.", ["Dr. Who met Mr. Bean.", "Fine."]),
        ("It is 3.5 percent. 4 is more.", ["It is 3.5 percent.", "4 is more."]),
        ('It says "free". Next.', ['It says "free".', "Next."]),
        ('It ends. "Free" is a word.', ["It ends.", '"Free" is a word.']),
        ("No full stop", ["No full stop"]),
        ("", []),
    ],
)
def test_sentences_are_split(text: str, sentences: list[str]):
    assert list(split_sentences(text)) == sentences
