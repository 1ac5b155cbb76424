"""The labelled sentences of benchmarks/grounding.jsonl are fit to measure with."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.grounding import best_threshold, denies, read_cases, resolved
from explainers.topics import load_topics


@pytest.fixture(scope="module")
def cases():
    return read_cases(topics=load_topics())  # raises where a source is not exactly one sentence


def test_every_case_has_four_to_six_different_sources(cases):
    assert {len(set(case.source)) for case in cases} <= {4, 5, 6}
    assert all(len(set(case.source)) == len(case.source) for case in cases)


def test_there_are_enough_cases_and_no_case_twice(cases):
    times = Counter((case.topic, case.sentence) for case in cases)
    assert len(cases) >= 300 and max(times.values()) == 1


def test_labels_are_balanced_in_both_halves(cases):
    for side in (True, False):
        labels = [case.supported for case in cases if case.learned_from is side]
        assert 0.35 <= sum(labels) / len(labels) <= 0.65


def test_a_kind_has_one_label(cases):
    kinds = {(case.kind, case.supported) for case in cases}
    assert len(kinds) == len({kind for kind, _ in kinds})


def test_only_what_is_called_verbatim_stands_in_the_sources(cases):
    assert {case.kind for case in cases if case.sentence in case.source} == {"verbatim"}


@pytest.mark.parametrize(("start", "count"), [("A net", 2), ("A tree", 0)])
def test_a_beginning_has_to_be_that_of_one_sentence(start: str, count: int):
    with pytest.raises(ValueError, match=f"{count} sentences begin"):
        resolved(start, ["A net learns.", "A net forgets."])


def test_of_two_equally_good_thresholds_the_stricter_is_taken():
    assert best_threshold([0.9, 0.8, 0.3], [True, True, False]) == 0.8
    assert best_threshold([0.9, 0.5, 0.5], [True, False, False]) == 0.9


def test_two_denials_cancel_out():
    assert (
        denies("It is not new.") and not denies("It isn't never new.") and not denies("It is new.")
    )
