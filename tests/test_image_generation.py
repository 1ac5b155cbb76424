"""The image generator with its real weights: what it draws, and that stopping and seeds work."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from PIL import Image
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from demos.base import DemoError, Note, Picture, Strip, final_views
from demos.diffusion_pipeline.networks import Autoencoder, CaptionTransformer, Residual
from demos.image_generation import DEMO, load_gallery, load_pipeline, load_sheet, tile
from training.descent import Optimizer, Rates, Training

HEART = {"prompt": "red heart", "steps": 10}


def views(**given):
    return list(DEMO.play(given))


def drawn(**given) -> np.ndarray:
    """The final picture, [64, 64, 3]."""
    (png,) = [v.png for v in views(**given) if isinstance(v, Picture) and v.key == "picture"]
    return pixels(png)


def pixels(data_uri: str) -> np.ndarray:
    encoded = data_uri.removeprefix("data:image/png;base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded)))).astype(float)


def test_the_middle_of_a_red_heart_is_red():
    middle = drawn(**HEART)[20:44, 20:44]  # [24, 24, 3]
    red, green, blue = middle.reshape(-1, 3).T
    assert np.mean((red > 150) & (green < 110) & (blue < 110)) > 0.8


def test_the_corners_of_a_heart_stay_white():
    picture = drawn(**HEART)
    assert picture[-6:, :6].mean() > 240
    assert picture[-6:, -6:].mean() > 240


def test_a_blue_heart_was_never_seen():
    assert not {"blue heart", "green apple"} & set(load_gallery().labels)


def test_a_seed_fixes_the_picture():
    first, again, other = (drawn(prompt="a dog", steps=4, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_style_is_another_picture():
    assert not np.array_equal(drawn(**HEART), drawn(**HEART, style="Twitter-like"))


@pytest.mark.parametrize("steps", [4, 20, 50])
def test_the_strip_grows_from_noise_to_the_picture(steps):
    strips = [view for view in views(prompt="sun", steps=steps) if isinstance(view, Strip)]
    assert [len(strip.pictures) for strip in strips] == list(range(1, len(strips) + 1))
    assert len(strips) == strips[0].expected == min(6, steps + 1)
    assert strips[0].pictures[0].caption == "noise"
    assert strips[-1].pictures[-1].caption == f"step {steps}"


def test_the_nearest_training_picture_is_shown():
    nearest = [v for v in views(**HEART) if isinstance(v, Picture) and v.key == "nearest"]
    assert nearest[0].alt == "red heart"
    sheet, gallery = load_sheet(), load_gallery()
    row = next(r for r in range(len(gallery.labels)) if gallery.labels[r] == "red heart")
    assert pixels(nearest[0].png).shape == np.asarray(tile(sheet, row)).shape


def test_the_sheet_and_the_latents_are_in_the_same_order():
    gallery, pipeline = load_gallery(), load_pipeline()
    for row in (0, 40, len(gallery.labels) - 1):
        picture = torch.from_numpy(np.asarray(tile(load_sheet(), row)).copy()).permute(2, 0, 1)
        with torch.inference_mode():
            latents = pipeline.autoencoder.encode(picture[None] / 127.5 - 1)
        distances = (gallery.latents - latents).square().mean((1, 2, 3))
        assert int(distances.argmin()) == row


def test_strange_words_are_called_strange():
    strange = [v for v in views(prompt="quarterly tax liability", steps=4) if v.key == "unlike"]
    assert isinstance(strange[0], Note)
    assert "unlike" in strange[0].text
    assert not [v for v in views(prompt="pizza", steps=4) if v.key == "unlike"]


def test_the_pipeline_is_the_plain_euler_loop():
    pipeline, steps, guidance = load_pipeline(), 7, 4.0
    *_, latents = pipeline.denoise("a red heart", 0, steps, guidance, seeded(3))
    captions, styles = pipeline.read(["a red heart", ""]), torch.zeros(2, dtype=torch.long)
    x = torch.randn(1, 8, 8, 8, generator=seeded(3))
    with torch.inference_mode():
        for step in range(steps):
            time = torch.tensor(step / steps)
            both = pipeline.transformer(torch.cat([x, x]), time.expand(2), captions, styles)
            clean = both[1:] + guidance * (both[:1] - both[1:])
            x = x + (clean - x) / (1 - time) / steps
    assert torch.allclose(x, latents, atol=1e-3)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_pipeline_draws_several_at_once():
    pictures = load_pipeline()(["sun", "moon"], num_inference_steps=4, generator=seeded(0)).images
    assert [picture.size for picture in pictures] == [(64, 64), (64, 64)]


def test_stopping_in_the_middle_leaves_the_next_run_whole():
    whole = drawn(**HEART)
    half = DEMO.play(HEART)
    next(half)
    next(half)
    half.close()
    assert np.array_equal(drawn(**HEART), whole)


def test_views_are_plain_json_with_every_picture():
    shown = final_views(DEMO.play(HEART))
    assert [view["key"] for view in shown] == ["steps", "picture", "nearest", "about"]


@pytest.mark.parametrize(
    "given, said",
    [
        ({"prompt": "   "}, "empty"),
        ({"prompt": "x" * 201}, "at most 200"),
        ({"prompt": "sun", "steps": 3}, "from 4 to 50"),
        ({"prompt": "sun", "style": "Monet"}, "one of: Google-like, Twitter-like"),
    ],
)
def test_wrong_input_is_explained(given, said):
    with pytest.raises(DemoError, match=said):
        views(**given)


def test_latents_have_the_shape_that_the_docs_say():
    pictures, latents = torch.zeros(2, 3, 64, 64), torch.zeros(2, 8, 8, 8)
    assert Autoencoder().encode(pictures).shape == latents.shape
    assert Autoencoder().decode(latents).shape == pictures.shape
    told = (torch.zeros(2), torch.zeros(2, 384), torch.zeros(2, dtype=torch.long))
    assert CaptionTransformer()(latents, *told).shape == latents.shape


def trained(file: Path, steps: int) -> Tensor:
    """A convolution after some steps of the real training loop, going on from `file`."""
    torch.manual_seed(0)
    model = Residual(8)
    optimizer = Optimizer(model)
    state = Training(file, {"model": model, "optimizer": optimizer})
    for _ in state.steps(steps):
        optimizer.descend(model(torch.randn(2, 8, 4, 4)).square().mean(), rate=0.01)
    return model.body[2].weight.detach()


def test_a_training_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path):
    whole = trained(tmp_path / "whole.pt", 6)
    trained(tmp_path / "halves.pt", 3)
    assert torch.equal(trained(tmp_path / "halves.pt", 6), whole)


def test_rates_rise_stay_and_fall():
    rates = Rates(steps=100, batch=1, peak=1.0, warm_up=10, falling=0.5)
    assert [rates.at(step) for step in (0, 9, 50)] == [0.1, 1.0, 1.0]
    assert rates.at(75) == 0.5
    assert rates.at(200) == 0.01


def tiny_stable_diffusion() -> StableDiffusionPipeline:
    """A real pipeline of the usual kind with untrained, very small networks: it draws noise."""
    letters = [*"abcdefghijklmnopqrstuvwxyz", *[f"{c}</w>" for c in "abcdefghijklmnopqrstuvwxyz"]]
    vocab = {piece: n for n, piece in enumerate([*letters, "<|startoftext|>", "<|endoftext|>"])}
    ends = {"bos_token_id": 52, "eos_token_id": 53, "pad_token_id": 53}
    sizes = {"hidden_size": 32, "intermediate_size": 37, "vocab_size": 54, "num_hidden_layers": 1}
    reader = CLIPTextModel(
        CLIPTextConfig(**sizes, **ends, num_attention_heads=4, max_position_embeddings=16)
    )
    blocks = {"block_out_channels": (32, 64), "layers_per_block": 1, "norm_num_groups": 8}
    return StableDiffusionPipeline(
        vae=AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            **blocks,
        ),
        text_encoder=reader,
        tokenizer=CLIPTokenizer(vocab=vocab, merges=[], model_max_length=16),
        unet=UNet2DConditionModel(
            sample_size=16,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=32,
            attention_head_dim=8,
            **blocks,
        ),
        scheduler=DDIMScheduler(clip_sample=False, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def test_any_diffusers_model_may_draw_instead(tmp_path, monkeypatch):
    tiny_stable_diffusion().save_pretrained(tmp_path)
    monkeypatch.setenv("EXPLAINER_IMAGE_MODEL", str(tmp_path))
    shown = views(prompt="sun", steps=10)
    assert [len(view.pictures) for view in shown[:-1]] == [1, 2, 3, 4, 5]
    assert shown[-1].key == "picture"
    stopped = DEMO.play({"prompt": "sun", "steps": 50})
    next(stopped)
    stopped.close()
