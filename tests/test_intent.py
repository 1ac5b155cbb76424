"""What a message wants: examples of demo requests, questions, wishes and follow-ups."""

from __future__ import annotations

import re

import pytest

import demos
from explainers.intent import (
    DemoPhrases,
    core_question,
    points_back,
    read_intent,
    sides_in,
    split_style,
    try_it,
)

DEMOS = [
    DemoPhrases(one.slug, one.title, one.topic, one.phrases, one.inputs[0].name, one.cues)
    for one in demos.load().values()
]


# --------------------------------------------------------------------------- demo requests


@pytest.mark.parametrize(
    ("message", "slug", "inputs"),
    [
        ("draw a smiling cat", "image_generation", {"prompt": "smiling cat"}),
        ("Please draw me a red heart!", "image_generation", {"prompt": "red heart"}),
        ("can you paint a house with a garden, please?", "image_generation",
         {"prompt": "house with a garden"}),
        ("Make me a picture of  two\nghosts", "image_generation", {"prompt": "two ghosts"}),
        ("draw something", "image_generation", {}),
        ("is 'I loved every minute' positive?", "sentiment", {"text": "I loved every minute"}),
        ('Is "a dull film" positive or negative?', "sentiment", {"text": "a dull film"}),
        ("does “not bad at all” sound positive", "sentiment", {"text": "not bad at all"}),
        ("classify: the worst soup of my life", "sentiment",
         {"text": "the worst soup of my life"}),
        ("Classify this review - It broke after a day.", "sentiment",
         {"text": "It broke after a day."}),
        ("Ask both sides about 'green tea'", "sentiment",
         {"text": "green tea", "ask_language_model": True}),
        ("continue: Once upon a time", "text_generation", {"text": "Once upon a time"}),
        ("Could you finish the sentence 'The king looked'?", "text_generation",
         {"text": "The king looked"}),
        ("write a story that begins with “It was dark”", "text_generation",
         {"text": "It was dark"}),
    ],
)  # fmt: skip
def test_a_demo_is_asked_for_with_its_input(message: str, slug: str, inputs: dict[str, object]):
    wanted = read_intent(message, DEMOS)
    assert (wanted.kind, wanted.demo, dict(wanted.inputs)) == ("demo", slug, inputs)


def fullest(phrase: str) -> str:
    """A phrase with its optional parts, and with the first of its alternatives."""
    words = re.sub(r" \[\w+\]$", "", phrase).replace("*", "so then")
    words = words.replace("?", "")
    while "(" in words:  # inner ones first
        words = re.sub(r"\(([^()|]*)\|?[^()]*\)", r"\1", words)
    return " ".join(words.split())


@pytest.mark.parametrize("demo", DEMOS, ids=lambda one: one.slug)
def test_every_phrase_of_a_demo_opens_it(demo: DemoPhrases):
    for phrase in demo.phrases:
        said = fullest(phrase).format(text="«green tea»", prompt="«green tea»")
        wanted = read_intent(said, DEMOS)
        assert wanted.demo == demo.slug, said
        assert set(wanted.inputs.values()) <= {"green tea", True}, said


@pytest.mark.parametrize(
    "message",
    [
        "How does a computer draw a cat?",
        "Who can paint like Rembrandt?",
        "Is a spam filter generative AI?",
        "What is sentiment analysis?",
        "why does a model continue a text word by word",
        "what does it mean to classify a review",
        "draw",
        "",
    ],
)
def test_questions_open_no_demo(message: str):
    assert read_intent(message, DEMOS).kind != "demo"


@pytest.mark.parametrize(
    ("message", "slug"),
    [
        ("Where can I play with the picture demo?", "image_generation"),
        ("is there a review demo", "sentiment"),
        ("how do I open the text generation demo?", "text_generation"),
    ],
)
def test_a_demo_is_asked_for_by_its_kind(message: str, slug: str):
    assert read_intent(message, DEMOS).demo == slug


@pytest.mark.parametrize(
    ("message", "every"),
    [("does every robot use AI?", True), ("Is any AI model generative?", False), ("is a robot AI?", False)],
)
def test_some_or_all(message: str, every: bool):
    assert read_intent(message).every == every


def test_simply_may_begin_a_claim():
    assert read_intent("Simply train longer and overfitting goes away.").kind != "simpler"
    assert read_intent("simply please").kind == "simpler"


def test_without_demos_nothing_opens_one():
    assert read_intent("draw a smiling cat").kind != "demo"


@pytest.mark.parametrize(
    ("message", "given"),
    [
        ('try it on "what a lovely day"', "what a lovely day"),
        ("Can you run it on the soup was cold?", "soup was cold"),
        ("show me with a red balloon", "red balloon"),
        ("try again", ""),
        ("What is it on?", ""),
    ],
)
def test_try_it_says_on_what(message: str, given: str):
    assert try_it(message) == given


# ------------------------------------------------------------------------- kinds of question


@pytest.mark.parametrize(
    "question",
    ["hi, what is a GAN?", "that's interesting, why?", "great, now show me more", "thanks, and who invented it",
     "how is it going to learn", "hey, are you a bot", "is that right", "so a machine can think?", "how do you feel",
     "quick question: do you know me?"],
)  # fmt: skip
def test_a_kind_word_beside_a_question_is_no_small_talk(question: str):
    assert read_intent(question).kind not in ("greeting", "thanks", "goodbye")


@pytest.mark.parametrize(
    ("kind", "messages"),
    [
        ("greeting", ["hi", "Hello there!", "good morning", "hey, how are you?", "Hi, my name is Tom :)",
                      "howdy", "Hello, is anyone there?", "hi there, nice to meet you", "can I ask you something?"]),
        ("thanks", ["thanks!", "Thank you very much", "great, thanks", "makes sense", "thank you kindly, that clears it up",
                    "aha, now I get it", "no more questions, thanks", "you're great"]),
        ("goodbye", ["bye", "ok bye!", "Good night", "thanks, bye", "that's it for now, thank you and goodbye",
                     "have a nice day", "I'm off, see you"]),
        ("definition", ["What is a GAN?", "define overfitting", "wat is a token"]),
        ("how", ["How does a GAN work?", "walk me through diffusion"]),
        ("why", ["Why are GANs hard to train?", "and why does it need noise"]),
        ("who", ["Who invented GANs?", "and who judges them?", "which paper described it first"]),
        ("when", ["When was ChatGPT released?", "what year did GANs appear"]),
        ("number", ["How many parameters does it have?", "what accuracy does it reach"]),
        ("comparison", ["GAN versus VAE", "What is the difference between a GAN and a VAE?",
                        "compare diffusion with GANs"]),
        ("example", ["What are examples of clustering?", "where is clustering used?"]),
        ("which_one", ["Should I use machine learning or generative AI for my shop?",
                       "which kind of AI should I use to predict sales?"]),
        ("claim", ["GANs just copy pictures, right?", "spam filters read my mail, don't they?"]),
        ("about", ["who are you?", "What can you do?", "are you a robot", "is my data safe", "who am I talking to?"]),
        ("shorter", ["shorter please", "make it short", "tl;dr"]),
        ("simpler", ["simpler please", "I don't understand", "in plain words", "eli5"]),
        ("another_example", ["another example", "give me an example", "any examples?", "one more please"]),
        ("longer", ["tell me more", "more details please", "go on"]),
    ],
)  # fmt: skip
def test_kinds(kind: str, messages: list[str]):
    assert {message: read_intent(message, DEMOS).kind for message in messages} == dict.fromkeys(
        messages, kind
    )


@pytest.mark.parametrize(
    ("message", "thing", "side", "either_or"),
    [
        ("Is a spam filter generative AI?", "spam filter", "create", False),
        ("are chatbots machine learning", "chatbots", "learning", False),
        ("so is my fridge really AI?", "fridge", "ai", False),
        ("Is a weather forecast predictive or generative?", "weather forecast", "predict", True),
        ("Midjourney: ml or genai?", "Midjourney", "learning", True),
        ("Which side is face unlock on?", "face unlock", "", True),
        ("is it generative AI or not?", "it", "create", False),
    ],
)
def test_which_side_a_thing_is_on(message: str, thing: str, side: str, either_or: bool):
    asked = read_intent(message, DEMOS)
    assert asked.kind == "which_side"
    assert (asked.thing, asked.asked_side, asked.either_or) == (thing, side, either_or)


@pytest.mark.parametrize(
    ("message", "goal"),
    [
        ("Which AI should I use to write a poem?", "create"),
        ("which kind of AI do I need to detect fraud?", "predict"),
        ("Which one should I use?", ""),
    ],
)
def test_which_to_use_has_a_goal(message: str, goal: str):
    wanted = read_intent(message, DEMOS)
    assert (wanted.kind, wanted.goal) == ("which_one", goal)


# -------------------------------------------------------------------- styles and follow-ups


@pytest.mark.parametrize(
    ("message", "question", "style"),
    [
        ("What is a GAN in one sentence?", "What is a GAN  ?", "short"),
        ("Explain GANs like I'm five", "Explain GANs", "simple"),
        ("in a nutshell: what is clustering", "what is clustering", "short"),
        ("what is a token, in simple words", "what is a token", "simple"),
        ("What is a GAN?", "What is a GAN?", ""),
        ("explain it like I'm five", "explain it like I'm five", ""),
    ],
)
def test_a_style_is_split_off(message: str, question: str, style: str):
    rest, found = split_style(message)
    assert (rest.split(), found) == (question.split(), style)


@pytest.mark.parametrize(
    "message", ["and who judges them?", "why?", "how does it work", "what about images?", "GANs?"]
)
def test_follow_ups_point_back(message: str):
    assert points_back(message)


@pytest.mark.parametrize(
    "message", ["What is a generative adversarial network?", "Is a spam filter generative AI?"]
)
def test_whole_questions_stand_alone(message: str):
    assert not points_back(message)


def test_of_several_sentences_the_last_question_counts():
    message = "My son asked me something. Is it magic? I said no. How does a GAN work? Thanks."
    assert core_question(message) == "How does a GAN work?"
    assert core_question("No question here.") == "No question here."


@pytest.mark.parametrize(
    ("message", "side", "either"),
    [
        ("planes fly themselves, so autopilot = machine learning?", "learning", False),
        ("Netflix knows what I like. So it creates, doesn't it?", "create", False),
        ("my bell says who is there: predict or create?", "", True),
        ("is the AI in my camera generative?", "create", False),  # AI is only a part of it
        ("which AI is it", "ai", False),
        ("what is a camera", "", False),
    ],
)
def test_the_side_that_a_message_asks_about(message: str, side: str, either: bool):
    assert sides_in(message) == (side, either)


@pytest.mark.parametrize("message", ["keep it to one line", "half as long, please", "make that a single sentence", "too long"])
def test_shorter_in_other_words(message: str):
    assert read_intent(message).kind == "shorter"


@pytest.mark.parametrize(
    ("message", "demo", "given"),
    [
        ("it would be nice to get a picture of a green apple", "image_generation", "green apple"),
        ("my son wants you to paint a rocket!", "image_generation", "rocket"),
        ("Was this customer pleased? 'They lost my parcel twice.'", "sentiment", "They lost my parcel twice."),
        ('"A film to forget at once" - praise or not?', "sentiment", "A film to forget at once"),
        ("Take it on: Once there was a king", "text_generation", "Once there was a king"),
        ("How would this go on: 'The door opened and'", "text_generation", "The door opened and"),
    ],
)
def test_demos_are_asked_for_in_many_words(message: str, demo: str, given: str):
    found = read_intent(message, DEMOS)
    assert (found.kind, found.demo) == ("demo", demo)
    assert given in found.inputs.values()


@pytest.mark.parametrize(
    "message",
    [
        "how does a model make a picture of a cat?",
        "is a drawing of a horse by an app generative AI?",
        "what does 'the model overfits badly' mean?",
        "Can AI paint like Rembrandt?",
        "why is a review called 'not bad at all' hard to judge?",
        "who drew the first picture with a GAN",
    ],
)
def test_questions_about_what_demos_do_are_no_wishes(message: str):
    assert read_intent(message, DEMOS).kind != "demo"


@pytest.mark.parametrize(
    ("message", "given"),
    [("and try it on 'so so'", "so so"), ("now a turtle instead", "turtle"), ("and then?", ""), ("try harder", "")],
)
def test_the_demo_under_discussion_is_tried_on_something(message: str, given: str):
    assert try_it(message) == given
