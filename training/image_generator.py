"""Train the image generator on captioned emoji: an autoencoder, then a diffusion transformer.

    python -m training.image_generator prepare     # pictures and captions -> WORK/data.pt
    python -m training.image_generator vae         # pictures <-> latents -> WORK/autoencoder.pt
    python -m training.image_generator diffusion   # noise -> latents -> WORK/diffusion.pt
    python -m training.image_generator sheet       # samples to look at -> WORK/sheet.png
    python -m training.image_generator export      # -> weights/image_generator/
    python -m training.image_generator score       # prints the scores of the model card

WORK is training/work unless --work names another folder. `vae` and `diffusion` go on from their
checkpoints; the rates follow steps, not the clock, so a run may be paused, killed and started
again. Runs on a CPU or, if there is one, on a CUDA device.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import FlowMatchEulerDiscreteScheduler
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers import AutoModel, AutoTokenizer

import assets
from demos.diffusion_pipeline.networks import Autoencoder, CaptionTransformer, Residual
from demos.diffusion_pipeline.pipeline import CaptionToPicture, read
from training.descent import Optimizer, Rates, Training, device

STYLES = ("google", "twitter")
WEIGHTS = Path(__file__).parents[1] / "weights/image_generator"
LEARNED = Path(__file__).with_suffix(".txt")
# Left out in both styles, though something like each stays: can the model put ideas together?
HELD_OUT = set(
    "basketball beers black_cat blue_car blue_heart brown_heart camel cow2 crying_cat_face "
    "dark_sunglasses dragon fearful green_apple green_book hatched_chick heart_eyes_cat "
    "kissing_cat light_blue_heart lime maple_leaf pig2 polar_bear police_car poodle smiling_imp "
    "snowman_without_snow tropical_fish whale2".split()
)


# --------------------------------------------------------------------------------- data


@dataclass(frozen=True)
class Example:
    """One picture and what may be said about it."""

    picture: np.ndarray  # [64, 64, 3] bytes
    captions: list[str]  # eight; the first is the plain label
    style: int
    held_out: bool


def prepare(work: Path) -> None:
    """Pictures on white, captions, and MiniLM's reading of every caption."""
    examples = list(collect())
    texts = sorted({caption for example in examples for caption in example.captions})
    row = {caption: number for number, caption in enumerate(texts)}
    pictures = torch.from_numpy(np.stack([e.picture for e in examples]))  # [P, 64, 64, 3]
    data = {
        "pictures": pictures.permute(0, 3, 1, 2).contiguous(),
        "captions": torch.tensor([[row[c] for c in e.captions] for e in examples]),
        "styles": torch.tensor([e.style for e in examples]),
        "held_out": torch.tensor([e.held_out for e in examples]),
        "texts": [*texts, ""],  # the last one is "no prompt"
        "embeddings": read_captions([*texts, ""]),
    }
    torch.save(data, work / "data.pt")
    held_out = int(data["held_out"].sum())
    print(f"{len(examples)} pictures, {held_out} of them held out, {len(texts)} captions")


def collect() -> Iterator[Example]:
    """Every emoji worth learning, in both styles."""
    folders = [assets.path(f"emoji-{style}") for style in STYLES]
    known = json.loads((assets.path("emojibase") / "data.json").read_text())
    known = {entry["hexcode"].lower(): entry for entry in known}
    for entry in kept(json.loads((folders[0] / "emoji.json").read_text())):
        label, tags = described(entry, known)
        for style, folder in enumerate(folders):
            file = folder / f"img/{STYLES[style]}/64/{entry['image']}"
            if file.exists():
                chance = random.Random(f"{label}{style}")
                captions = captions_of(label, short_name(entry), tags, chance)
                yield Example(on_white(file), captions, style, entry["short_name"] in HELD_OUT)


def kept(entries: list[dict]) -> Iterator[dict]:
    """The emoji worth learning, in the order of the standard."""
    lines = LEARNED.read_text().splitlines()
    names = {name for line in lines if not line.startswith("#") for name in line.split()}
    for entry in sorted(entries, key=lambda entry: entry["sort_order"]):
        if entry["short_name"] in names:
            yield entry


def described(entry: dict, known: dict[str, dict]) -> tuple[str, list[str]]:
    """An emoji's label and tags, by its code point with or without the variation selector."""
    code = entry["unified"].lower()
    for key in (code, code.replace("-fe0f", ""), code.replace("-fe0f", "").lstrip("0")):
        if key in known:
            return known[key]["label"].replace("’", "'"), known[key].get("tags", [])
    return entry["name"].lower(), []


def short_name(entry: dict) -> str:
    """What people type for it: "car", "sunny", "dog"."""
    return re.sub(r"[_\d]+", " ", entry["short_name"]).strip()


def captions_of(label: str, short: str, tags: list[str], chance: random.Random) -> list[str]:
    """Eight captions: mostly the plain label, some with or made of its tags."""
    tags = [tag for tag in tags if tag != label] or [label]
    article = "an" if label[0] in "aeiou" else "a"
    pair = chance.sample(tags, min(2, len(tags)))
    return [
        *(label, label, label, f"{article} {label}", short),
        *(f"{label}, {chance.choice(tags)}", f"{chance.choice(tags)} {label}", " ".join(pair)),
    ]


def on_white(file: Path) -> np.ndarray:
    """A transparent picture on a white ground, [64, 64, 3] bytes."""
    drawing = Image.open(file).convert("RGBA")
    white = Image.new("RGBA", drawing.size, "white")
    white.alpha_composite(drawing)
    return np.asarray(white.convert("RGB"))


def read_captions(texts: list[str]) -> Tensor:
    """MiniLM's sentence embeddings [len, 384]."""
    minilm = assets.path("minilm")
    tokenizer = AutoTokenizer.from_pretrained(minilm, local_files_only=True)
    model = AutoModel.from_pretrained(minilm, local_files_only=True).eval()
    parts = [read(texts[i : i + 256], tokenizer, model) for i in range(0, len(texts), 256)]
    return torch.cat(parts).clone()


# --------------------------------------------------------------------------- autoencoder


VAE_RATES = Rates(steps=1600, batch=16, peak=3e-3, warm_up=100, falling=0.8)


def train_vae(work: Path, rates: Rates = VAE_RATES) -> None:
    """Learn to pack pictures into latents and unpack them."""
    pictures = training_pictures(torch.load(work / "data.pt"))
    model = Autoencoder().to(device())
    optimizer = Optimizer(model)
    state = Training(work / "vae.pt", {"model": model, "optimizer": optimizer})
    for step in state.steps(rates.steps):
        x = as_floats(pictures[torch.randint(0, len(pictures), (rates.batch,))]).to(device())
        x = shifted(x.flip(3) if step % 2 else x, 3)
        loss = vae_loss(model, x)
        optimizer.descend(loss, rates.at(step))
        state.tell(step, loss)
    measure_latents(model.cpu().eval(), pictures)
    torch.save(model.state_dict(), work / "autoencoder.pt")


def vae_loss(model: Autoencoder, x: Tensor) -> Tensor:
    """Pixels, their differences (they keep outlines sharp) and a pull of the latents to N(0, 1)."""
    mean, log_variance = model.posterior(x)  # in float32: bfloat16 was slower on a CPU
    y = model.decoder(mean + torch.randn_like(mean) * (log_variance / 2).exp())
    edges = sum((torch.diff(y, dim=d) - torch.diff(x, dim=d)).abs().mean() for d in (2, 3))
    pull = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
    return (y - x).abs().mean() + edges + 1e-3 * pull


@torch.inference_mode()
def measure_latents(model: Autoencoder, pictures: Tensor) -> None:
    """Set the latents' scale; print how well the pictures come back."""
    x = as_floats(pictures)
    raw = torch.cat([model.posterior(part)[0] for part in x.split(128)])
    model.mean.copy_(raw.mean((0, 2, 3))[:, None, None])
    model.deviation.copy_(raw.std((0, 2, 3))[:, None, None])
    error = torch.stack([(model.decode(model.encode(p)) - p).abs().mean() for p in x.split(128)])
    print(f"mean absolute error on -1..1: {error.mean():.4f}", flush=True)


# ---------------------------------------------------------------------------- diffusion


@dataclass(frozen=True)
class Examples:
    """What the transformer learns from. P pictures with 8 captions each, C captions."""

    latents: Tensor  # [P, 8, 8, 8]
    captions: Tensor  # [P, 8], rows of embeddings
    styles: Tensor  # [P]
    embeddings: Tensor  # [C, 384]; the last one is the empty prompt

    @classmethod
    @torch.inference_mode()
    def load(cls, work: Path, held_out: bool = False) -> Examples:
        """The pictures that are, or are not, held out, as latents."""
        data = torch.load(work / "data.pt")
        autoencoder, chosen = load_autoencoder(work), data["held_out"] == held_out
        parts = as_floats(data["pictures"][chosen]).split(128)
        latents = torch.cat([autoencoder.encode(part) for part in parts]).clone()
        return cls(latents, data["captions"][chosen], data["styles"][chosen], data["embeddings"])

    def to(self, where: torch.device) -> Examples:
        """The same on another device."""
        parts = (self.latents, self.captions, self.styles, self.embeddings)
        return Examples(*(part.to(where) for part in parts))

    def draw(self, count: int) -> tuple[Tensor, ...]:
        """Random pictures: latents, caption and style. A tenth go without a caption."""
        picture = torch.randint(len(self.latents), (count,), device=self.latents.device)
        caption = self.captions[picture, torch.randint_like(picture, self.captions.shape[1])]
        caption[torch.rand(count, device=caption.device) < 0.1] = len(self.embeddings) - 1
        return self.latents[picture], self.embeddings[caption], self.styles[picture]


DIFFUSION_RATES = Rates(steps=2400, batch=128, peak=3e-3, warm_up=60, falling=0.5)


def train_diffusion(work: Path, rates: Rates = DIFFUSION_RATES) -> None:
    """Learn to take noise out of latents, told what the picture shows."""
    examples = Examples.load(work).to(device())
    model = CaptionTransformer().to(device())
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.995))
    optimizer = Optimizer(model)
    parts = {"model": model, "average": average, "optimizer": optimizer}
    state = Training(work / "diffusion.pt", parts)
    for step in state.steps(rates.steps):
        loss = flow_loss(model, *examples.draw(rates.batch))
        optimizer.descend(loss, rates.at(step))
        average.update_parameters(model)
        state.tell(step, loss)


def flow_loss(model: CaptionTransformer, x: Tensor, *told: Tensor) -> Tensor:
    """Flow matching on the straight line from noise (time 0) to clean latents (time 1).

    The network names the clean latents; the error counts as an error of the velocity, which is
    (clean - noisy) / (1 - time) (Li and He, "Back to Basics", 2025).
    """
    time_ = torch.sigmoid(torch.randn(len(x), device=x.device) - 0.3)
    t = time_[:, None, None, None]
    guess = model(t * x + (1 - t) * torch.randn_like(x), time_, *told)
    return ((guess - x) / (1 - t).clamp(min=0.05)).square().mean()


# ------------------------------------------------------------------------------- export


def load_autoencoder(work: Path) -> Autoencoder:
    """The trained autoencoder, on the CPU."""
    autoencoder = Autoencoder()
    autoencoder.load_state_dict(torch.load(work / "autoencoder.pt"))
    return autoencoder.eval()


def load_pipeline(work: Path, minilm: Path | None = None) -> CaptionToPicture:
    """The pipeline with the averaged weights; with MiniLM only if its folder is given."""
    average = torch.load(work / "diffusion.pt", map_location="cpu")["average"]
    del average["n_averaged"]
    transformer = CaptionTransformer()
    transformer.load_state_dict({name.removeprefix("module."): t for name, t in average.items()})
    readers = ()
    if minilm:
        tokenizer = AutoTokenizer.from_pretrained(minilm, local_files_only=True)
        readers = (tokenizer, AutoModel.from_pretrained(minilm, local_files_only=True).eval())
    parts = (load_autoencoder(work), transformer.eval(), FlowMatchEulerDiscreteScheduler())
    return CaptionToPicture(*parts, *readers)


LOOKED_AT = (
    "a red heart,smiling face,crying face,cat face,dog,elephant,fish,bird,pizza,red apple,"
    "birthday cake,tree,flower,sun,moon,star,car,bus,airplane,rocket,house,castle,robot,ghost,"
    "soccer ball,guitar,key,blue heart,black cat,green apple,police car,a blue fish"
)


def look(work: Path, prompts: str = LOOKED_AT) -> None:
    """A sheet of samples: a column a prompt, rows style 0 and 1, then both with another seed."""
    pipeline, prompts = load_pipeline(work, assets.path("minilm")), prompts.split(",")
    rows = []
    for seed, style in ((1, 0), (1, 1), (2, 0), (2, 1)):
        generator = torch.Generator().manual_seed(seed)
        rows += pipeline(prompts, style=style, generator=generator).images
    sheet(torch.stack([as_bytes(image) for image in rows]), len(prompts)).save(work / "sheet.png")


def export(work: Path, folder: Path = WEIGHTS) -> None:
    """Average weights in float16, and what the demo has to know about the training pictures."""
    pipeline = load_pipeline(work)
    for network in (pipeline.autoencoder, pipeline.transformer):
        network.half()
    pipeline.save_pretrained(folder)
    data, seen = torch.load(work / "data.pt"), Examples.load(work)
    rows = seen.captions[:, [0, 4]].unique()  # labels and short names
    captions = data["embeddings"][rows]
    tensors = {"latents": seen.latents.half().contiguous(), "captions": captions.half()}
    save_file(tensors, folder / "training_pictures.safetensors")
    facts = {
        "labels": [data["texts"][row] for row in seen.captions[:, 0]],
        "styles": seen.styles.tolist(),
        "captions": [data["texts"][row] for row in rows],
        "distances": closeness(Examples.load(work, held_out=True).latents, seen.latents),
        "familiar": familiarity(captions),
    }
    (folder / "training_pictures.json").write_text(json.dumps(facts, indent=0))
    pictures = training_pictures(data)
    sheet(pictures).save(folder / "training_pictures.webp", lossless=True, method=6)


def closeness(held_out: Tensor, seen: Tensor) -> dict[str, float]:
    """How far real emoji that were held out lie from the nearest training picture (see `apart`).

    A generated picture nearer than "same" is nearer than 95% of them; beyond "near", than half.
    """
    distances = apart(held_out, seen).amin(1)
    return {"same": distances.quantile(0.05).item(), "near": distances.median().item()}


def apart(these: Tensor, those: Tensor) -> Tensor:
    """Root mean square difference of latents, [len(these), len(those)]; 1 = a deviation."""
    return torch.cdist(these.flatten(1), those.flatten(1)) / these[0].numel() ** 0.5


def familiarity(captions: Tensor) -> float:
    """The likeness to a known caption below which only a twentieth of PARAPHRASES fall."""
    return (read_captions(list(PARAPHRASES)) @ captions.T).amax(1).quantile(0.05).item()


def sheet(pictures: Tensor, columns: int = 36) -> Image.Image:
    """[P, 3, 64, 64] bytes as one picture, row by row."""
    blank = torch.full((-len(pictures) % columns, 3, 64, 64), 255, dtype=torch.uint8)
    rows = torch.cat([pictures, blank]).view(-1, columns, 3, 64, 64).permute(0, 3, 1, 4, 2)
    return Image.fromarray(rows.reshape(-1, columns * 64, 3).numpy())


# -------------------------------------------------------------------------------- scores


class Judge(nn.Module):
    """Picture -> its caption's sentence embedding. Trained apart from the generator."""

    def __init__(self, widths: tuple[int, ...] = (16, 32, 64, 128)):
        super().__init__()
        layers, before = [], 3
        for width in widths:  # halves the side each time
            convolution = nn.Conv2d(before, width, 3, 2, 1)
            layers += [convolution, nn.GroupNorm(8, width), nn.SiLU(), Residual(width)]
            before = width
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(before * 16, 384))

    def forward(self, x: Tensor) -> Tensor:
        return F.normalize(self.body(x), dim=-1)


JUDGE_RATES = Rates(steps=600, batch=64, peak=3e-3, warm_up=50, falling=0.8)


def train_judge(work: Path, rates: Rates = JUDGE_RATES) -> Judge:
    """Learn to pick a picture's label out of all labels of the batch."""
    data, judge = torch.load(work / "data.pt"), Judge().to(device())
    labels = data["embeddings"][data["captions"][:, 0]].to(device())  # [P, 384]
    seen = (~data["held_out"]).nonzero()[:, 0]
    optimizer = Optimizer(judge)
    state = Training(work / "judge.pt", {"model": judge, "optimizer": optimizer})
    for step in state.steps(rates.steps):
        rows = seen[torch.randperm(len(seen))[: rates.batch]]
        x = shifted(as_floats(data["pictures"][rows]).to(device()), 4)
        x = x + 0.1 * torch.randn_like(x)  # so that it does not trip over a generator's grain
        alike = judge(x.flip(3) if step % 2 else x) @ labels[rows].T / 0.05
        same = (labels[rows] @ labels[rows].T > 0.999).float()  # both styles share a label
        loss = F.cross_entropy(alike, same / same.sum(1, keepdim=True))
        optimizer.descend(loss, rates.at(step))
        state.tell(step, loss)
    return judge.cpu().eval()


@torch.inference_mode()
def score(work: Path) -> None:
    """Print the judge's own accuracy, then the generator's, then how near it stays to its data."""
    judge, data = train_judge(work), torch.load(work / "data.pt")
    held_out, real = Examples.load(work, held_out=True), data["pictures"][data["held_out"]]
    rows = held_out.captions[:, 0]
    new = [data["texts"][row] for row in rows.unique()]
    prompts = [*new, *PARAPHRASES]
    embedded = read_captions(prompts)
    truth = torch.tensor([new.index(data["texts"][row]) for row in rows])
    tell_retrieval("held-out real pictures", judge(as_floats(real)), embedded, truth)
    seen, pipeline = Examples.load(work).latents, load_pipeline(work, assets.path("minilm"))
    for style, name in enumerate(STYLES):
        latents = generate(pipeline, prompts, style)
        guess, truth = judge(pipeline.autoencoder.decode(latents)), torch.arange(len(prompts))
        tell_retrieval(f"{name}, new ideas", guess[: len(new)], embedded, truth[: len(new)])
        tell_retrieval(f"{name}, other words", guess[len(new) :], embedded, truth[len(new) :])
        near = apart(latents, seen).amin(1)
        print(f"{name}: distance to the nearest training picture, median {near.median():.3f}")


def tell_retrieval(name: str, guesses: Tensor, captions: Tensor, truth: Tensor) -> None:
    """How often the right caption is the likest of all, and among the five likest."""
    best = (guesses @ captions.T).argsort(1, descending=True)
    ranks = (best == truth[:, None]).int().argmax(1)
    first, five, count = (ranks < 1).float().mean(), (ranks < 5).float().mean(), len(captions)
    print(f"{name} (n={len(truth)}): right caption first {first:.0%}, in first five {five:.0%}")
    print(f"    by chance {1 / count:.1%} and {5 / count:.1%}")


def generate(pipeline: CaptionToPicture, prompts: list[str], style: int) -> Tensor:
    """Latents [P, 8, 8, 8] at the demo's settings, seed 0."""
    *_, latents = pipeline.denoise(prompts, style, 20, 4.0, torch.Generator().manual_seed(0))
    return latents


# Other words for what is in the training pictures.
PARAPHRASES = tuple(
    "smiley wearing shades,weeping face,furious red face,face in love,a kitty,a puppy,a bunny,"
    "king of the jungle,striped big cat,black and white bear,sea creature with eight arms,"
    "grey animal with a trunk,insect that makes honey,slice of pizza,cheeseburger,red fruit,"
    "yellow curved fruit,bunch of grapes,cup of coffee,glass of beer,cake with candles,red flower,"
    "palm on an island,sports car,yellow cab,space ship,sailing boat,bike,plane,small home,"
    "football,golden cup".split(",")
)


# ------------------------------------------------------------------------------- helpers


def as_bytes(image: Image.Image) -> Tensor:
    """[3, 64, 64]."""
    return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)


def training_pictures(data: dict) -> Tensor:
    return data["pictures"][~data["held_out"]]


def as_floats(pictures: Tensor) -> Tensor:
    """Bytes -> -1..1."""
    return pictures.float() / 127.5 - 1


def shifted(x: Tensor, most: int) -> Tensor:
    """All pictures moved by the same few pixels, white coming in."""
    down, right = torch.randint(-most, most + 1, (2,)).tolist()
    padded = F.pad(x, (most,) * 4, value=1.0)
    return padded[..., most + down :, most + right :][..., : x.shape[2], : x.shape[3]]


VERBS = {
    "prepare": prepare,
    "vae": train_vae,
    "diffusion": train_diffusion,
    "sheet": look,
    "export": export,
    "score": score,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("verb", choices=VERBS)
    parser.add_argument("--work", type=Path, default=Path("training/work"))
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    torch.set_num_threads(2)
    VERBS[given.verb](given.work)


if __name__ == "__main__":
    main()
