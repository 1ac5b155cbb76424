"""The question bank that the search and the language model are taught with: sound, and split without leaks."""

from __future__ import annotations

import json
from collections import Counter

import pytest

import assets
from explainers.library import open_encoder
from explainers.reading import GROUPS
from explainers.topics import load_topics
from training.reading import DESCRIBED, GOALS, THINGS, read_things
from training.tutor.bank import FOLDER, LEAK, check, read_bank, read_line, split

TOPICS = load_topics()
BANK = read_bank(TOPICS)
GOOD = {"kind": "how", "turns": ["who judges in a gan"], "support": ["The discriminator is the judge"]}


def test_the_bank_is_large_and_clean(capsys: pytest.CaptureFixture[str]):
    assert check(sorted(FOLDER.glob("*.jsonl"))) == 0, capsys.readouterr().out[:2000]
    kinds = Counter(one.kind for one in BANK)
    assert len(BANK) >= 3000 and len(kinds) >= 14
    things = {sentence for one in BANK if one.kind == "which_side" for _, sentence in one.support}
    assert len(things) >= 200


def test_every_topic_is_asked_about():
    asked = Counter(topic for one in BANK for topic, _ in one.support)
    assert min(asked[slug] for slug in TOPICS) >= 20


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "whatever"}, "unknown kind"),
        ({"turns": []}, "turns"),
        ({"support": ["No sentence begins so"]}, "0 sentences begin"),
        ({"support": []}, "needs support"),
        ({"kind": "abstain"}, "takes no support"),
        ({"answer": "The discriminator is a nice judge."}, "words that the material does not"),
        ({"answer": "The discriminator is not the judge."}, "the material does not (not)"),
        ({"note": "x"}, "unknown key"),
    ],
)
def test_an_author_is_told_what_is_wrong(change: dict, said: str):
    _, *problems = read_line(json.dumps({**GOOD, **change}), "gan", TOPICS)
    assert any(said in problem for problem in problems), problems


def test_a_good_line_is_read_with_its_sentences():
    example, *problems = read_line(json.dumps(GOOD), "gan", TOPICS)
    assert not problems and example.support[0][1].startswith("The discriminator is the judge: ")
    assert example.answer == example.support[0][1]


def test_no_part_is_measured_on_what_another_was_taught():
    encode = open_encoder(assets.path("minilm"))
    some = [one for one in BANK if one.support][::7]
    parts = split(some, TOPICS, encode)
    assert all(parts.values()) and sum(map(len, parts.values())) <= len(some)
    test, train = (encode([one.asked(TOPICS) for one in parts[name]]) for name in ("test", "train"))
    assert (train @ test.T).max() < LEAK


@pytest.mark.parametrize(("path", "least"), [(THINGS, 1500), (GOALS, 2000), (DESCRIBED, 800)])
def test_every_thing_and_goal_has_one_side(path, least):
    """A thing that stands there twice, with two sides, would teach the reader nothing."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    assert {side for side, _ in rows} == set(GROUPS)
    assert len(rows) >= least and len({text.lower() for _, text in rows}) == len(rows)


def test_things_are_taught_bare_and_in_questions():
    taught = dict(read_things())
    assert taught["Bunsen burner"] == "neither"
    assert len(taught) == 2 * len(THINGS.read_text(encoding="utf-8").splitlines())
