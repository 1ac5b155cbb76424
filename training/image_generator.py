"""Train the image generator on captioned emoji: an autoencoder, then a diffusion transformer.

    python -m training.image_generator prepare     # pictures and captions -> WORK/data.pt
    python -m training.image_generator vae         # -> WORK/vae.pt
    python -m training.image_generator diffusion   # -> WORK/diffusion.pt

Each verb resumes from its checkpoint; rates follow steps, so a run may be paused and continued.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from demos.diffusion_pipeline.networks import Autoencoder, CaptionTransformer

STYLES = ("google", "twitter")
WORDS = 12  # tokens of a caption; few labels are longer

# Hard to learn, hard to tell apart at 64x64, or not drawings of things.
SKIPPED_CATEGORIES = {"Flags", "Component", "People & Body", "Symbols"}
SKIPPED_GROUPS = {"office", "mail", "writing", "place-map", "money", "other-object", "medical", "sound"}
KEPT_ANYWAY = set("scissors pencil2 coffin moneybag pill syringe bell email world_map coin".split())
SKIPPED = set(
    # near-duplicates: clock faces, moons, trains, books, vests and the like
    "clock1 clock2 clock4 clock5 clock6 clock7 clock8 clock9 clock11 clock12 clock130 clock230 "
    "clock330 clock430 clock530 clock630 clock730 clock830 clock930 clock1030 clock1130 clock1230 "
    "mantelpiece_clock timer_clock stopwatch hourglass_flowing_sand new_moon waxing_crescent_moon moon "
    "waning_gibbous_moon waning_crescent_moon new_moon_with_face first_quarter_moon_with_face "
    "last_quarter_moon last_quarter_moon_with_face mostly_sunny barely_sunny thunder_cloud_and_rain fog "
    "bullettrain_side bullettrain_front train2 metro light_rail station tram train railway_car "
    "monorail mountain_railway suspension_railway mountain_cableway aerial_tramway oncoming_bus "
    "trolleybus minibus oncoming_police_car oncoming_automobile articulated_lorry busstop motorway "
    "oncoming_taxi vertical_traffic_light construction railway_track wheel oil_drum "
    "motorized_wheelchair manual_wheelchair airplane_departure airplane_arriving small_airplane seat "
    "building_construction house_buildings derelict_house_building stadium office post_office "
    "european_post_office love_hotel convenience_store department_store wedding bank hotel bricks "
    "page_with_curl page_facing_up bookmark_tabs ledger notebook notebook_with_decorative_cover label "
    "bookmark rolled_up_newspaper kaaba synagogue hindu_temple minidisc cd trackball abacus fax pager "
    "low_battery calling film_frames clapper izakaya_lantern camera_with_flash mag_right film_projector "
    "diya_lamp control_knobs level_slider musical_score studio_microphone petri_dish dna "
    "satellite_antenna lock_with_ink_pen closed_lock_with_key bellhop_bell wheelchair door elevator "
    "roll_of_paper soap sponge plunger mouse_trap safety_pin bubbles window lotion_bottle razor "
    "linked_paperclips compression hammer_and_pick hammer_and_wrench probing_cane hook chains link "
    "broken_chain pick nut_and_bolt carpentry_saw boomerang running_shirt_with_sash sari kimono one-piece_swimsuit "
    "womans_clothes pouch thong_sandal mans_shoe womans_flat_shoe helmet_with_white_cross hair_pick "
    "folding_hand_fan prayer_beads briefs safety_vest lab_coat goggles military_helmet bikini "
    "cricket_bat_and_ball field_hockey_stick_and_ball ice_hockey_stick_and_puck lacrosse rugby_football "
    "table_tennis_paddle_and_ball martial_arts_uniform curling_stone goal_net diving_mask flying_disc "
    "ribbon reminder_ribbon admission_tickets ticket red_envelope tanabata_tree bamboo dolls flags "
    "wind_chime rice_scene confetti_ball sports_medal second_place_medal third_place_medal mahjong "
    "flower_playing_cards spades clubs hearts diamonds slot_machine pinata knot sewing_needle thread "
    "chess_pawn black_joker nesting_dolls mirror_ball foggy night_with_stars city_sunset city_sunrise "
    "bridge_at_night barber hotsprings playground_slide carousel_horse sunrise_over_mountains "
    "stuffed_flatbread falafel tamale flatbread fondue oden fish_cake dango rice_cracker moon_cake "
    "takeout_box shallow_pan_of_food canned_food mate_drink beverage_box pouring_liquid ice_cube "
    "tumbler_glass ginger_root pea_pod root_vegetable beans leafy_green amphora jar knife_fork_plate "
    "herb leaves potted_plant empty_nest shamrock white_flower bouquet rosette lotus "
    "eye-in-speech-bubble anger dash dizzy left_speech_bubble right_anger_bubble hole 100 sweat_drops "
    "head_shaking_horizontally head_shaking_vertically dotted_line_face gift_heart heart_decoration "
    "heavy_heart_exclamation_mark_ornament grey_heart love_letter feet service_dog guide_dog boar "
    "water_buffalo badger bison black_bird goose microbe worm beetle cockroach mosquito cricket oyster "
    "sauropod wing motor_boat passenger_ship ferry umbrella_on_ground umbrella_with_rain_drops "
    "closed_umbrella cyclone milky_way desert national_park camping mount_fuji smiley "
    "disappointed_relieved relaxed slightly_frowning_face".split()
)
# Left out in both styles, though something like each stays: can the model put ideas together?
HELD_OUT = set(
    "blue_heart brown_heart light_blue_heart green_apple heart_eyes_cat crying_cat_face kissing_cat "
    "black_cat polar_bear two_hump_camel camel snowman_without_snow tropical_fish whale2 police_car "
    "blue_car green_book beers fearful smiling_imp hatched_chick cow2 pig2 poodle dragon lime "
    "basketball sunglasses_face dark_sunglasses maple_leaf".split()
)


@dataclass(frozen=True)
class Rates:
    """How long and how fast one network learns."""

    steps: int
    batch: int
    peak: float
    warm_up: int
    falling: float  # the last share of the steps, in which the rate falls to nearly 0

    def at(self, step: int) -> float:
        """The rate at a step: up, level, down to 1%."""
        left = (self.steps - step) / (self.falling * self.steps)
        return self.peak * min(1.0, (step + 1) / self.warm_up, max(left, 0.01))


# --------------------------------------------------------------------------------- data


def prepare(work: Path, google: Path, twitter: Path, emojibase: Path, minilm: Path) -> None:
    """Pictures on white, captions, and MiniLM's reading of every caption."""
    entries = list(kept(json.loads((google / "emoji.json").read_text())))
    known = {e["hexcode"].lower(): e for e in json.loads((emojibase / "en/data.json").read_text())}
    pictures, captions, styles, names, held = [], [], [], [], []
    for entry in entries:
        label, tags = described(entry, known)
        for style, folder in enumerate((google, twitter)):
            file = folder / f"img/{STYLES[style]}/64/{entry['image']}"
            if file.exists():
                pictures.append(on_white(file))
                captions.append(captions_of(label, tags, random.Random(f"{label}{style}")))
                styles.append(style)
                names.append(label)
                held.append(entry["short_name"] in HELD_OUT)
    unique = sorted({caption for group in captions for caption in group})
    place = {caption: number for number, caption in enumerate(unique)}
    words, mask = read_captions([*unique, ""], minilm)  # the last one is "no prompt"
    torch.save(
        {
            "pictures": torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous(),
            "captions": torch.tensor([[place[c] for c in group] for group in captions]),
            "styles": torch.tensor(styles),
            "held_out": torch.tensor(held),
            "words": words.half(),
            "mask": mask,
            "texts": [*unique, ""],
            "names": names,
        },
        work / "data.pt",
    )
    print(f"{len(names)} pictures, {sum(held)} of them held out, {len(unique)} captions")


def kept(entries: list[dict]) -> Iterator[dict]:
    """The emoji worth learning, in the order of the standard."""
    for entry in sorted(entries, key=lambda entry: entry["sort_order"]):
        name, dropped = entry["short_name"], entry["subcategory"] in SKIPPED_GROUPS
        if entry["category"] in SKIPPED_CATEGORIES or name in SKIPPED:
            continue
        if not dropped or name in KEPT_ANYWAY:
            yield entry


def described(entry: dict, known: dict[str, dict]) -> tuple[str, list[str]]:
    """An emoji's label and tags, by its code point with or without the variation selector."""
    code = entry["unified"].lower()
    for key in (code, code.replace("-fe0f", ""), code.replace("-fe0f", "").lstrip("0")):
        if key in known:
            return known[key]["label"], known[key].get("tags", [])
    return entry["name"].lower(), [name.replace("_", " ") for name in entry["short_names"]]


def captions_of(label: str, tags: list[str], chance: random.Random) -> list[str]:
    """Eight captions: mostly the plain label, some with or made of its tags."""
    label = label.replace("’", "'")
    tags = [tag for tag in tags if tag != label] or [label]
    article = "an" if label[0] in "aeiou" else "a"
    pairs = [chance.sample(tags, min(2, len(tags))) for _ in range(2)]
    return [
        *(label, label, label, f"{article} {label}"),
        *(f"{label}, {chance.choice(tags)}", ", ".join([label, *pairs[0]])),
        *(" ".join(pairs[1]), chance.choice(tags)),
    ]


def on_white(file: Path) -> np.ndarray:
    """A transparent picture on a white ground, [64, 64, 3] bytes."""
    drawing = Image.open(file).convert("RGBA")
    white = Image.new("RGBA", drawing.size, "white")
    white.alpha_composite(drawing)
    return np.asarray(white.convert("RGB"))


@torch.inference_mode()
def read_captions(texts: list[str], minilm: Path) -> tuple[Tensor, Tensor]:
    """MiniLM's token states [len, 12, 384] and which of them are words [len, 12]."""
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(minilm, local_files_only=True)
    model = AutoModel.from_pretrained(minilm, local_files_only=True).eval()
    states, masks = [], []
    for start in range(0, len(texts), 256):
        tokens = tokenizer(
            texts[start : start + 256],
            padding="max_length",
            truncation=True,
            max_length=WORDS,
            return_tensors="pt",
        )
        states.append(model(**tokens).last_hidden_state)
        masks.append(tokens["attention_mask"].bool())
    return torch.cat(states).clone(), torch.cat(masks)


# --------------------------------------------------------------------------- autoencoder


VAE_RATES = Rates(steps=3600, batch=16, peak=3e-3, warm_up=100, falling=0.8)


def train_vae(work: Path, rates: Rates = VAE_RATES) -> None:
    """Learn to pack pictures into latents and unpack them."""
    pictures = training_pictures(torch.load(work / "data.pt"))
    model = Autoencoder().to(device())
    optimizer = Optimizer(model)
    state = Training(work / "vae.pt", {"model": model, "optimizer": optimizer})
    for step in state.steps(rates.steps):
        x = as_floats(pictures[torch.randint(0, len(pictures), (rates.batch,))])
        x = shifted(x.flip(3) if step % 2 else x, 3)
        loss = vae_loss(model, x)
        optimizer.descend(loss, rates.at(step))
        state.tell(step, loss)
    measure_latents(model.eval(), pictures)
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
    captions: Tensor  # [P, 8], rows of words
    styles: Tensor  # [P]
    words: Tensor  # [C, 12, 384]; the last one is the empty prompt
    mask: Tensor  # [C, 12]

    @classmethod
    @torch.inference_mode()
    def load(cls, work: Path) -> Examples:
        """Pictures that are not held out, as latents."""
        data = torch.load(work / "data.pt")
        autoencoder = Autoencoder().to(device()).eval()
        autoencoder.load_state_dict(torch.load(work / "autoencoder.pt"))
        x = as_floats(training_pictures(data))
        latents = torch.cat([autoencoder.encode(part) for part in x.split(128)]).clone()
        seen = ~data["held_out"]
        rest = (data["captions"][seen], data["styles"][seen], data["words"].float(), data["mask"])
        return cls(latents, *(tensor.to(latents.device) for tensor in rest))

    def draw(self, count: int) -> tuple[Tensor, ...]:
        """Random pictures: latents, words, mask and style. A tenth go without a caption."""
        picture = torch.randint(len(self.latents), (count,), device=self.latents.device)
        caption = self.captions[picture, torch.randint_like(picture, self.captions.shape[1])]
        caption[torch.rand(count, device=caption.device) < 0.1] = len(self.words) - 1
        longest = int(self.mask[caption].sum(1).max())
        words, mask = self.words[caption, :longest], self.mask[caption, :longest]
        return self.latents[picture], words, mask, self.styles[picture]


DIFFUSION_RATES = Rates(steps=9000, batch=128, peak=2e-3, warm_up=200, falling=0.5)


def train_diffusion(work: Path, rates: Rates = DIFFUSION_RATES, **shape: int) -> None:
    """Learn to take noise out of latents, told what the picture shows."""
    examples = Examples.load(work)
    model = CaptionTransformer(**shape).to(device())
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998)
    )
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


# ------------------------------------------------------------------------------- helpers


class Optimizer:
    """Muon for weight matrices (a convolution's, laid flat), AdamW for everything else.

    Muon makes every direction of an update equally long (Jordan et al., "Muon", 2024), which here
    took about half the steps that AdamW alone took.
    """

    def __init__(self, model: nn.Module):
        self.model = model
        weights = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
        self.matrices = [p for name, p in weights if p.ndim > 1 and is_hidden(name)]
        rest = [p for name, p in weights if p.ndim == 1 or not is_hidden(name)]
        self.flat = [nn.Parameter(p.data.view(len(p), -1)) for p in self.matrices]  # same memory
        self.muon = torch.optim.Muon(self.flat, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")
        self.adam = torch.optim.AdamW(rest, betas=(0.9, 0.98), weight_decay=0.0)

    def descend(self, loss: Tensor, rate: float) -> None:
        """One step down the loss. Muon's rate is the given one, AdamW's a third of it."""
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for flat, matrix in zip(self.flat, self.matrices, strict=True):
            flat.grad = matrix.grad.view_as(flat)
        for optimizer, share in ((self.muon, 1.0), (self.adam, 1 / 3)):
            for group in optimizer.param_groups:
                group["lr"] = rate * share
            optimizer.step()
        self.model.zero_grad()

    def state_dict(self) -> dict:
        return {"muon": self.muon.state_dict(), "adam": self.adam.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        self.muon.load_state_dict(state["muon"])
        self.adam.load_state_dict(state["adam"])


def is_hidden(name: str) -> bool:
    """Neither the first nor the last layer, nor a table: those learn better with AdamW."""
    return not name.startswith(("encoder.1.", "decoder.10.", "read_", "write", "place", "style"))


class Training:
    """A resumable loop: saves the parts, the step and the random state every few minutes."""

    def __init__(self, file: Path, parts: dict, every: float = 180.0):
        self.file, self.parts, self.every, self.start = file, parts, every, 0
        self.begun = self.saved = time.monotonic()
        self.seconds, self.losses = 0.0, []
        if file.exists():
            stored = torch.load(file, weights_only=True)
            for name, part in parts.items():
                part.load_state_dict(stored[name])
            self.start, self.seconds = stored["step"], stored["seconds"]
            torch.set_rng_state(stored["random"])

    def steps(self, until: int) -> Iterator[int]:
        """Step numbers; saves in between and at the end."""
        for step in range(self.start, until):
            yield step
            if time.monotonic() - self.saved > self.every:
                self.save(step + 1)
        self.save(until)

    def save(self, step: int) -> None:
        """Write beside, then rename: a stop in the middle leaves the older file whole."""
        now = time.monotonic()
        parts = {name: part.state_dict() for name, part in self.parts.items()}
        extra = {"step": step, "seconds": self.seconds + now - self.begun, "random": torch.get_rng_state()}
        torch.save(parts | extra, self.file.with_suffix(".part"))
        self.file.with_suffix(".part").replace(self.file)
        self.saved = now

    def tell(self, step: int, loss: Tensor, every: int = 100) -> None:
        self.losses.append(loss.item())
        if (step + 1) % every == 0:
            mean = sum(self.losses) / len(self.losses)
            self.losses.clear()
            print(f"step {step + 1} loss {mean:.4f} {time.monotonic() - self.begun:.0f} s", flush=True)


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def training_pictures(data: dict) -> Tensor:
    return data["pictures"][~data["held_out"]]


def as_floats(pictures: Tensor) -> Tensor:
    """Bytes -> -1..1."""
    return pictures.to(device()).float() / 127.5 - 1


def shifted(x: Tensor, most: int) -> Tensor:
    """All pictures moved by the same few pixels, white coming in."""
    down, right = torch.randint(-most, most + 1, (2,)).tolist()
    padded = F.pad(x, (most,) * 4, value=1.0)
    return padded[:, :, most + down : most + down + x.shape[2], most + right : most + right + x.shape[3]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("verb", choices=("prepare", "vae", "diffusion"))
    parser.add_argument("--work", type=Path, default=Path("training/work"))
    for name in ("google", "twitter", "emojibase", "minilm"):
        parser.add_argument(f"--{name}", type=Path)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    torch.set_num_threads(2)
    if given.verb == "prepare":
        prepare(given.work, given.google, given.twitter, given.emojibase, given.minilm)
    elif given.verb == "vae":
        train_vae(given.work)
    elif given.verb == "diffusion":
        train_diffusion(given.work)


if __name__ == "__main__":
    main()
