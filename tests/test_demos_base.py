"""The contract every demo keeps: inputs that check, views that turn into JSON, discovery."""

from __future__ import annotations

import json
import sys
import types

import pytest
from PIL import Image

import demos
from demos.base import (
    Bars,
    Choice,
    Demo,
    DemoError,
    Note,
    Picture,
    Piece,
    Slider,
    Strip,
    Table,
    Text,
    Toggle,
    Tokens,
    Words,
    data_uri,
    final_views,
)

TEXT = Text(name="text", label="Review", max_length=10)
WHOLE = Slider(name="length", label="Length", minimum=5, maximum=120, default=40)
FINE = Slider(name="top_p", label="Top-p", minimum=0, maximum=1, step=0.05, default=1)
CHOICE = Choice(name="style", label="Style", options=("plain", "bold"), default="plain")
TOGGLE = Toggle(name="loud", label="Loud")


def shout(text: str, loud: bool):
    """A demo in two views: a promise, then the text that replaces it."""
    yield Note("one moment", key="said")
    yield Note(text.upper() if loud else text, key="said")


def a_demo(slug: str = "shout", **changes) -> Demo:
    fields = {
        "title": "Shout",
        "side": "create",
        "topic": "text-generation",
        "summary": "Says it louder.",
        "inputs": (Text(name="text", label="Text", default="hello"), TOGGLE),
        "run": shout,
    }
    return Demo(slug=slug, **(fields | changes))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  fine  ", "fine"),
        ("a\nb\tc", "a\nb\tc"),
        ("a\x00b\x1bc", "abc"),
        ("café 映画", "café 映画"),
    ],
)
def test_text_is_trimmed_and_freed_of_control_characters(given, kept):
    assert TEXT.check(given) == kept


@pytest.mark.parametrize(
    ("field", "given", "says"),
    [
        (TEXT, "", "empty"),
        (TEXT, " \n\x00 ", "empty"),
        (TEXT, None, "has to be text"),
        (TEXT, ["a"], "has to be text"),
        (TEXT, "elevenchars", "at most 10"),
        (WHOLE, 4, "from 5 to 120"),
        (WHOLE, 121, "from 5 to 120"),
        (WHOLE, "20", "from 5 to 120"),
        (WHOLE, True, "from 5 to 120"),
        (WHOLE, float("nan"), "from 5 to 120"),
        (FINE, float("inf"), "from 0 to 1"),
        (CHOICE, "italic", "plain, bold"),
        (CHOICE, None, "plain, bold"),
        (TOGGLE, 1, "on or off"),
        (TOGGLE, "yes", "on or off"),
    ],
)
def test_a_wrong_input_says_what_is_allowed(field, given, says):
    with pytest.raises(DemoError, match=says) as refused:
        field.check(given)
    assert field.label in str(refused.value)


def test_what_was_given_is_shown_short():
    with pytest.raises(DemoError) as refused:
        CHOICE.check("x" * 5000)
    assert len(str(refused.value)) < 120


def test_a_slider_with_whole_steps_gives_whole_numbers():
    assert WHOLE.check(20.0) == 20 and isinstance(WHOLE.check(20.0), int)
    assert FINE.check(1) == 1.0 and isinstance(FINE.check(1), float)


def test_an_input_describes_itself_in_plain_json():
    assert json.loads(json.dumps(CHOICE.describe())) == {
        "kind": "choice",
        "name": "style",
        "label": "Style",
        "help": "",
        "options": ["plain", "bold"],
        "default": "plain",
    }


def picture() -> Picture:
    return Picture(data_uri(Image.new("RGB", (2, 2), "red")), alt="a red square")


@pytest.mark.parametrize(
    "view",
    [
        Bars({"no": 0.25, "yes": 0.75}),
        Words((("bad", -0.5), (" film", 0.0)), low="negative", high="positive"),
        Tokens((Piece(" a", 0.5, ((" the", 0.25),)),), start="Once", grow="text"),
        picture(),
        Strip((picture(), picture()), expected=4),
        Table(("word", "count"), (("film", 2),)),
        Note("done"),
    ],
    ids=lambda view: view.kind,
)
def test_a_view_turns_into_plain_json(view):
    plain = json.loads(json.dumps(view.describe()))
    assert plain == view.describe()
    assert plain["kind"] == view.kind and plain["key"]


def test_bars_keep_their_order_as_pairs():
    assert Bars({"b": 0.5, "a": 0.5}).describe()["values"] == [["b", 0.5], ["a", 0.5]]


def test_a_piece_carries_its_alternatives():
    plain = Tokens((Piece(" a", 0.5, ((" the", 0.25),)),)).describe()
    assert plain["pieces"] == [{"text": " a", "probability": 0.5, "alternatives": [[" the", 0.25]]}]


def test_views_without_a_key_get_one_from_kind_and_title():
    assert Note("a").describe()["key"] == Note("b").describe()["key"]
    assert Note("a", title="x").describe()["key"] != Note("a").describe()["key"]


def test_a_picture_is_a_png_data_uri():
    assert picture().png.startswith("data:image/png;base64,iVBOR")


def test_a_view_replaces_the_one_with_its_key_and_keeps_its_place():
    views = iter([Note("a", key="1"), Note("b", key="2"), Note("c", key="1")])
    assert [(view["key"], view["text"]) for view in final_views(views)] == [("1", "c"), ("2", "b")]


def test_a_demo_fills_in_defaults_and_runs():
    assert final_views(a_demo().play({"loud": True}))[0]["text"] == "HELLO"


@pytest.mark.parametrize(
    ("given", "says"),
    [({"volume": 3}, "no input of shout; it has: text, loud"), (["hi"], "a name for each value")],
)
def test_unknown_inputs_are_refused(given, says):
    with pytest.raises(DemoError, match=says):
        a_demo().check(given)


def test_a_demo_gets_only_the_objects_it_needs():
    borrowed = a_demo(inputs=(), needs=("voice",), run=lambda voice: iter([Note(voice)]))
    assert final_views(borrowed.play({}, voice="soft", other="ignored"))[0]["text"] == "soft"


def test_stopping_a_demo_is_closing_it():
    stopped = []

    def endless():
        try:
            while True:
                yield Note("still here")
        finally:
            stopped.append(True)

    views = a_demo(inputs=(), run=endless).play({})
    next(views)
    views.close()
    assert stopped == [True]


def test_a_demo_describes_itself_in_plain_json():
    plain = json.loads(json.dumps(a_demo(examples=({"text": "hi"},)).describe()))
    assert [field["name"] for field in plain["inputs"]] == ["text", "loud"]
    assert plain["examples"] == [{"text": "hi"}] and plain["side"] == "create"


def folder_with(monkeypatch, tmp_path, **modules: Demo | None) -> None:
    """Make `demos` a folder that holds just these modules."""
    for name, demo in modules.items():
        (tmp_path / f"{name}.py").touch()
        module = types.ModuleType(f"demos.{name}")
        if demo is not None:
            module.DEMO = demo
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(demos, "__path__", [str(tmp_path)])


def test_a_file_with_a_demo_is_found_and_a_helper_is_not(monkeypatch, tmp_path):
    folder_with(monkeypatch, tmp_path, loud=a_demo(), helper=None)
    assert list(demos.load()) == ["shout"]


def test_two_demos_with_one_slug_name_both_files(monkeypatch, tmp_path):
    folder_with(monkeypatch, tmp_path, loud=a_demo(), quiet=a_demo())
    with pytest.raises(ValueError, match=r"demos/loud\.py and demos/quiet\.py .*'shout'"):
        demos.load()


@pytest.mark.parametrize("slug", ["whisper", None, 3])
def test_an_unknown_slug_names_the_demos_there_are(slug):
    with pytest.raises(DemoError, match="There is: shout"):
        demos.get({"shout": a_demo()}, slug)


def test_every_demo_of_ours_has_defaults_and_examples_that_its_own_checks_accept():
    for demo in demos.load().values():
        demo.check({})
        for example in demo.examples:
            demo.check(example)
