"""Draw a picture from words: noise turns step by step into what a caption says.

The model is ours, small and trained on emoji only (weights/image_generator/README.md).
EXPLAINER_IMAGE_MODEL names another to use instead: any diffusers text-to-image model, by its folder
or its name on the hub.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import queue
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demos.base import Choice, Demo, Note, Picture, Slider, Strip, Text, View, data_uri

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from demos.diffusion_pipeline.pipeline import CaptionToPicture

WEIGHTS = Path(__file__).parents[1] / "weights/image_generator"
STYLES = ("Google-like", "Twitter-like")
FRAMES = 6  # pictures in the strip, from noise to the end
TILE = 64  # pixels


def run(prompt: str, seed: int, steps: int, guidance: float, style: str) -> Iterator[View]:
    """A strip from noise to picture, the picture, and the training picture nearest to it."""
    if name := os.environ.get("EXPLAINER_IMAGE_MODEL"):
        yield from run_other(name, prompt, seed, steps, guidance)
        return
    import torch

    pipeline, gallery = load_pipeline(), load_gallery()
    if unlike := gallery.unlike(pipeline, prompt):
        yield Note(unlike, key="unlike")
    generator = torch.Generator().manual_seed(seed)
    shown = {round(frame * steps / (FRAMES - 1)) for frame in range(FRAMES)}
    frames: list[Picture] = []
    stages = pipeline.denoise(prompt, STYLES.index(style), steps, guidance, generator)
    for step, latents in enumerate(stages):
        if step in shown:
            image = pipeline.pictures(latents)[0]
            frames.append(frame_of(image, prompt, step, steps))
            yield strip(frames, len(shown))
    yield final(image, prompt)
    yield from gallery.compare(latents)


def frame_of(image: Image, prompt: str, step: int, steps: int) -> Picture:
    """One picture of the strip."""
    if step == 0:
        return Picture(data_uri(image), alt="Only noise", caption="noise")
    alt = f"{prompt}, after {step} of {steps} steps"
    return Picture(data_uri(image), alt=alt, caption=f"step {step}")


def strip(frames: list[Picture], expected: int) -> Strip:
    return Strip(tuple(frames), expected=expected, key="steps", title="From noise to picture")


def final(image: Image, prompt: str) -> Picture:
    caption = f"“{prompt}”, as the model draws it"
    return Picture(data_uri(image), alt=f"Drawn: {prompt}", caption=caption, key="picture")


# ------------------------------------------------------------------------------- our model


@functools.cache
def load_pipeline() -> CaptionToPicture:
    """Our model with MiniLM as its reader; about three seconds, once."""
    import torch

    import assets
    from demos.diffusion_pipeline.pipeline import CaptionToPicture

    torch.set_num_threads(min(2, torch.get_num_threads()))
    return CaptionToPicture.from_folder(WEIGHTS, assets.path("minilm"))


@dataclass(frozen=True)
class Gallery:
    """The training pictures and what is known about them. P pictures, C captions."""

    latents: Tensor  # [P, 8, 8, 8], of deviation 1
    embeddings: Tensor  # [C, 384], of length 1
    captions: tuple[str, ...]  # C
    labels: tuple[str, ...]  # P
    styles: tuple[int, ...]  # P
    same: float  # a generated picture nearer than this is as good as copied
    near: float  # half of the real emoji that were held out are nearer than this to one
    familiar: float  # likeness of words to a known caption; below it they are unlike all

    def unlike(self, pipeline: CaptionToPicture, prompt: str) -> str:
        """A warning if the prompt's words are unlike any caption that the model learned."""
        likeness = self.embeddings @ pipeline.read([prompt])[0]
        if likeness.max() >= self.familiar:
            return ""
        nearest = self.captions[int(likeness.argmax())]
        return (
            "These words are unlike any caption this model learned, so expect a guess. "
            f"The nearest it knows is “{nearest}”."
        )

    def compare(self, latents: Tensor) -> Iterator[View]:
        """The nearest training picture, and how near it is, in words."""
        distances = (self.latents - latents).square().mean((1, 2, 3)).sqrt()
        row = int(distances.argmin())
        label, style = self.labels[row], STYLES[self.styles[row]].removesuffix("-like")
        image = tile(load_sheet(), row)
        caption = f"{label} ({style}): {self.in_words(float(distances[row]))}"
        title = "The nearest picture it learned from"
        yield Picture(data_uri(image), alt=label, caption=caption, key="nearest", title=title)
        yield Note(
            f"This model has only ever seen {len(self.labels):,} small emoji pictures, of "
            f"{len(set(self.labels)):,} things. It cannot draw what they do not show, and what it "
            "has often seen it may copy: compare the two pictures above.",
            key="about",
        )

    def in_words(self, distance: float) -> str:
        """Against how far real emoji that it never saw are from their nearest one."""
        if distance < self.same:
            return "the drawing is very close to it, nearly a copy"
        if distance < self.near:
            return "the drawing resembles it"
        return "the drawing is not close to it, nor to any other"


@functools.cache
def load_gallery() -> Gallery:
    """What training left about its pictures."""
    from safetensors.torch import load_file

    tensors = load_file(WEIGHTS / "training_pictures.safetensors")
    facts = json.loads((WEIGHTS / "training_pictures.json").read_text())
    lists = (tuple(facts[name]) for name in ("captions", "labels", "styles"))
    numbers = (*facts["distances"].values(), facts["familiar"])
    return Gallery(tensors["latents"].float(), tensors["captions"].float(), *lists, *numbers)


@functools.cache
def load_sheet() -> Image:
    """All training pictures in one, row by row."""
    from PIL import Image

    return Image.open(WEIGHTS / "training_pictures.webp").convert("RGB")


def tile(sheet: Image, row: int) -> Image:
    """Training picture number `row`."""
    down, right = divmod(row, sheet.width // TILE)
    left, top = right * TILE, down * TILE
    return sheet.crop((left, top, left + TILE, top + TILE))


# ------------------------------------------------------------------------- any other model


def run_other(name: str, prompt: str, seed: int, steps: int, guidance: float) -> Iterator[View]:
    """The same strip and picture from the model `name`; it has styles of its own."""
    import torch

    settings = {"num_inference_steps": steps, "guidance_scale": guidance}
    settings["generator"] = torch.Generator().manual_seed(seed)
    every = max(1, steps // (FRAMES - 1))
    frames: list[Picture] = []
    shared = load_other(name)
    scheduler = shared.scheduler.from_config(shared.scheduler.config)  # it counts: one per run
    pipeline = type(shared).from_pipe(shared, scheduler=scheduler)
    with contextlib.closing(draw(pipeline, prompt, settings, every)) as images:
        for step, image in zip(range(every, steps + 1, every), images, strict=False):
            frames.append(frame_of(image, prompt, step, steps))
            yield strip(frames, steps // every)
        *_, image = images
    yield final(image, prompt)


@functools.cache
def load_other(name: str) -> Any:
    """A diffusers text-to-image pipeline, on the GPU if there is one."""
    import torch
    from diffusers import DiffusionPipeline

    return DiffusionPipeline.from_pretrained(name).to(
        "cuda" if torch.cuda.is_available() else "cpu"
    )


def draw(
    pipeline: Any, prompt: str, settings: dict[str, Any], every: int
) -> Generator[Image, None, None]:
    """A picture after every so many steps, then the finished one. Closing it stops the work."""
    done: queue.SimpleQueue[Any] = queue.SimpleQueue()
    stopped = threading.Event()

    def each_step(pipe: Any, step: int, timestep: Any, values: dict[str, Any]) -> dict[str, Any]:
        if stopped.is_set():
            pipe._interrupt = True
        if (step + 1) % every == 0:
            latents = values["latents"] / pipe.vae.config.scaling_factor
            done.put(pipe.image_processor.postprocess(pipe.vae.decode(latents).sample.detach())[0])
        return values

    def work() -> None:
        try:
            done.put(pipeline(prompt, callback_on_step_end=each_step, **settings).images[0])
            done.put(None)
        except Exception as error:  # for whoever waits on the other side
            done.put(error)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        while (image := done.get()) is not None:
            if isinstance(image, Exception):
                raise image
            yield image
    finally:
        stopped.set()
        worker.join()  # at most one step more


DEMO = Demo(
    slug="image_generation",
    title="A picture out of noise",
    side="create",
    topic="diffusion",
    summary=(
        "Type what to draw and watch a small diffusion model clear a picture out of pure noise, "
        "step by step. Beside it stands the training picture it comes nearest to."
    ),
    phrases=(
        "(draw|paint|sketch|doodle|illustrate) {prompt}",
        "(draw|paint|sketch|picture|image|drawing): {prompt}",
        "(draw|paint|make|create|generate|show|give|get|see) (me )?(a|an) (picture|image|drawing|painting) of {prompt}",
        "(make|create|generate|draw|show) (me )?(a|an) (picture|image|drawing): {prompt}",
        "(a |an )?(picture|image|drawing) of {prompt}",
        "(make|create|generate) {prompt} as (a|an) (picture|image)",
        "turn {prompt} into (a|an) (picture|image)",
        "turn noise into {prompt}",
        "(make|show me|show) {prompt} (made |coming )?out of noise",
        "see {prompt} drawn*",
        "(see|show me how) you draw {prompt}",
        "(draw|make|create|generate|paint) (me )?(something|anything|(a|an) (picture|image|drawing))",
        "(try|open|show me) (the )?image (generation|demo|generation demo)",
        "watch a picture come out of noise",
        "* (want|wants|like|love|need|get|have|fancy|see|make|give|show) * (picture|image|drawing|painting|sketch) of {prompt}",
        "do (a|the) (picture|drawing|painting|sketch) of {prompt}",
        "* you to (draw|paint|sketch) {prompt}",
        "* (love|like|want|wish|hope) to see {prompt} (drawn|painted|sketched)*",
        "* (love|like|want|need|fancy) (a|an|some) (drawn|painted) {prompt}",
        "* (picture|image|drawing) demo*",
        "* demo * (picture|image|noise|draws|drawing|pixels)*",
    ),
    inputs=(
        Text(
            name="prompt",
            label="What to draw",
            help="An animal, a face, food, a thing: two or three words work best.",
            default="a red heart",
            max_length=200,
        ),
        Slider(
            name="seed",
            label="Seed",
            help="Another seed starts from other noise; the same seed gives the same picture.",
            minimum=0,
            maximum=9999,
            default=1,
        ),
        Slider(
            name="steps",
            label="Steps",
            help="In how many steps the noise is taken away.",
            minimum=4,
            maximum=50,
            default=20,
        ),
        Slider(
            name="guidance",
            label="Guidance",
            help="How strongly the words steer: 0 ignores them, high values exaggerate.",
            minimum=0,
            maximum=8,
            step=0.5,
            default=4,
        ),
        Choice(name="style", label="Style", options=STYLES, default=STYLES[0]),
    ),
    run=run,
    action="Draw",
    examples=(
        {"prompt": "a red heart"},
        {"prompt": "smiling face", "style": "Twitter-like"},
        {"prompt": "a rocket"},
    ),
    credits=(
        "Trained on Noto Emoji by Google (Apache-2.0) and Twemoji by Twitter, Inc and other "
        "contributors (CC-BY-4.0), with captions from Emojibase (MIT)",
        "Captions read by all-MiniLM-L6-v2 (Apache-2.0)",
    ),
)
